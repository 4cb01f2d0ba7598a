//! The sink's page in a real Chromium, which a library drives: what it shows is what was sent.

mod external;
