"""Becomes rotel's agent, with these arguments: the package has no program of its own to start it in the foreground, and
the agent wants this Python's library, which may lie where the loader does not look.
"""

import os
import sys
import sysconfig

from rotel.agent import Agent

os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")
os.execv(Agent.agent_path, [str(Agent.agent_path), *sys.argv[1:]])
