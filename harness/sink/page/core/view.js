// What every part and screen draws with: components, markup as templates, and state that redraws what reads it.
//
// Texts of spans reach the document as text alone: a template's ${…} makes a text node or sets a property, never markup.
import { h, render, Fragment } from 'preact';
import htm from 'htm';

export { render, Fragment };
export const html = htm.bind(h);
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback } from 'preact/hooks';
export { signal, computed, effect, batch, useSignal, useComputed, useSignalEffect } from '@preact/signals';
