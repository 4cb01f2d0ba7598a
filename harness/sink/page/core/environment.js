// What `@tanstack/virtual-core` reads as published, which bundlers would put in: that this is no development of its own.
globalThis.process ??= { env: { NODE_ENV: 'production' } };
