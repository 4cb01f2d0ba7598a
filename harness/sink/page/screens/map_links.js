// What a part of the map leads to: the traces of the list that have it.

/** A service leads to the requests that it received; what has no spans, to the calls of those who call it. */
export function ofNode({ edges }, node, listed) {
  if (!node.virtual) return listed([{ key: 'service', value: node.service }]);
  const callers = edges.filter((it) => it.to === node.service);
  return callers.length === 1 ? ofCaller(callers[0], listed) : listed([{ key: 'kind', value: 'client' }]);
}

/** A call leads to the requests that its receiver got. */
export function ofEdge({ nodes }, edge, listed) {
  const receiver = nodes.find((it) => it.service === edge.to);
  return receiver?.virtual ? ofCaller(edge, listed) : listed([{ key: 'service', value: edge.to }]);
}

const ofCaller = ({ from }, listed) => listed([{ key: 'service', value: from }, { key: 'kind', value: 'client' }]);
