// The places of the map's nodes and edges, from left to right, by dagre.

/** The size of a node, and of what stands on an edge. */
const NODE = { width: 172, height: 44 };
const LABEL = { width: 88, height: 36, labelpos: 'c' };
/** The room below a node for calls of itself. */
const LOOP = 62;

/** With more edges than this their labels are shown only where one looks, and take no room. */
const DENSE = 60;
const NO_LABEL = { width: 4, height: 2, labelpos: 'c' };

/** The most nodes that are drawn: more could not be read, and would take seconds. The table has all. */
export const MOST = 120;

/** Returns `{ width, height, nodes, edges, isDense, leftOut }`: nodes and edges as `{ at, x, y }` by their index, edges with `points`. */
export async function layout({ nodes, edges }) {
  const { Graph, layout: place } = await import('../vendor/dagre/dagre.esm.js');
  const drawn = nodes.map((_, at) => at);
  if (drawn.length > MOST) drawn.sort((a, b) => nodes[b].requests - nodes[a].requests || a - b).splice(MOST);
  const known = new Map(drawn.map((at) => [nodes[at].service, at]));
  const shown = edges.flatMap(({ from, to }, at) => (known.has(from) && known.has(to) ? [[at, known.get(from), known.get(to)]] : []));
  const loops = new Set(shown.flatMap(([, from, to]) => (from === to ? [from] : [])));
  drawn.sort((a, b) => a - b);
  const isDense = shown.length > DENSE;
  const label = isDense ? NO_LABEL : LABEL;
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: isDense ? 14 : 24, edgesep: isDense ? 2 : 12, ranksep: isDense ? 150 : 64, marginx: 12, marginy: 12 });
  for (const at of drawn) graph.setNode(String(at), { width: NODE.width, height: NODE.height + (loops.has(at) ? 2 * LOOP : 0) });
  for (const [, from, to] of shown) if (from !== to) graph.setEdge(String(from), String(to), { ...label });
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
      const [one, other] = [graph.node(String(from)), graph.node(String(to))];
      return { at, ...(from === to ? loop(one) : joined(graph.edge(String(from), String(to)), one, other, label)) };
    }),
    isDense,
    leftOut: nodes.length - drawn.length,
  };
}

/** An edge from side to side of its nodes, where all of a side's edges meet; level where its label stands. */
function joined({ points, x, y }, from, to, label) {
  const way = from.x <= to.x ? 1 : -1;
  const side = (way * NODE.width) / 2;
  const level = [{ x: x - (way * label.width) / 2, y }, { x: x + (way * label.width) / 2, y }];
  const between = points.slice(1, -1).flatMap((point) => (Math.abs(point.x - x) < 1 ? level : [point]));
  return { points: [{ x: from.x + side, y: from.y }, ...between, { x: to.x - side, y: to.y }], x, y };
}

/** An edge from a node to itself, below it. */
function loop({ x, y }) {
  const [low, high] = [y + NODE.height / 2, y + NODE.height / 2 + 36];
  return { points: [{ x: x + 40, y: low }, { x: x + 40, y: high }, { x: x - 40, y: high }, { x: x - 40, y: low }], isLoop: true, x, y: high - 7 };
}
