// The places of the map's nodes and edges, from left to right, by dagre.

/** The size of a node, and of what stands on an edge. */
const NODE = { width: 184, height: 44 };
const LABEL = { width: 104, height: 34, labelpos: 'c' };

/** The most nodes that are drawn: more could not be read, and would take seconds. The table has all. */
export const MOST = 120;

/** Returns `{ width, height, nodes, edges, leftOut }`: nodes and edges as `{ at, x, y }` by their index, edges with `points`. */
export async function layout({ nodes, edges }) {
  const { Graph, layout: place } = await import('../vendor/dagre/dagre.esm.js');
  const drawn = nodes.map((_, at) => at);
  if (drawn.length > MOST) drawn.sort((a, b) => nodes[b].requests - nodes[a].requests || a - b).splice(MOST);
  const known = new Map(drawn.map((at) => [nodes[at].service, at]));
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 22, edgesep: 14, ranksep: 24, marginx: 12, marginy: 12 });
  for (const at of drawn.sort((a, b) => a - b)) graph.setNode(String(at), { ...NODE });
  const shown = edges.flatMap(({ from, to }, at) => (known.has(from) && known.has(to) ? [[at, String(known.get(from)), String(known.get(to))]] : []));
  for (const [at, from, to] of shown) graph.setEdge(from, to, { at, ...LABEL });
  if (drawn.length > 0) place(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    node: NODE,
    nodes: drawn.map((at) => {
      const { x, y } = graph.node(String(at));
      return { at, x, y };
    }),
    edges: shown.map(([at, from, to]) => {
      const { points, x, y } = graph.edge(from, to);
      return { at, points, x, y };
    }),
    leftOut: nodes.length - drawn.length,
  };
}
