/** The lines between the parts, and the dots that run along them when something moves. */
import { find } from './dom.ts';

export type NodeName = 'requests' | 'function' | 'kong' | 'segura' | 'rejected' | 'exhausted' | 'outcomes';

interface Edge {
  readonly from: NodeName;
  readonly to: NodeName;
  /** Only in an exceptional case. */
  readonly isRare?: boolean;
  /** Where all stands in one column, what is not a neighbour has no line. */
  readonly isShownInColumn: boolean;
  /** Beside the middle, where two leave a part together. */
  readonly shift?: number;
}

const EDGES: readonly Edge[] = [
  { from: 'requests', to: 'function', isShownInColumn: true },
  { from: 'function', to: 'kong', isShownInColumn: true },
  { from: 'kong', to: 'segura', isShownInColumn: true },
  { from: 'function', to: 'outcomes', shift: 12, isShownInColumn: false },
  { from: 'function', to: 'rejected', shift: -12, isRare: true, isShownInColumn: false },
  { from: 'requests', to: 'exhausted', isRare: true, isShownInColumn: false },
];

const SVG = 'http://www.w3.org/2000/svg';
const MOST_DOTS = 6;
const DOT_MS = 650;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** From side to side where they stand beside each other, else down and, where they are apart, over. */
const pathBetween = (from: Box, to: Box, shift: number): string => {
  const centre = ({ left, right }: Box): number => (left + right) / 2;
  const isBeside = to.left >= from.right && to.top < from.bottom;
  if (isBeside) {
    const y = Math.min(from.top, to.top) + 34;
    return `M ${from.right} ${y} H ${to.left - 7}`;
  }
  // Straight down, wherever the narrower of the two has its middle.
  const x = centre(from) + shift;
  const overlaps = to.left < x && x < to.right;
  if (overlaps) return `M ${x} ${from.bottom} V ${to.top - 7}`;
  const turn = to.top - 22;
  const end = centre(to);
  const bend = end > x ? 8 : -8;
  return `M ${x} ${from.bottom} V ${turn - 8} Q ${x} ${turn} ${x + bend} ${turn} H ${end - bend} Q ${end} ${turn} ${end} ${turn + 8} V ${to.top - 7}`;
};

export const createPicture = () => {
  const canvas = find('#edges', SVGSVGElement);
  const section = find('.path', HTMLElement);
  const paths = new Map<string, SVGPathElement>();
  const wantsStillness = matchMedia('(prefers-reduced-motion: reduce)');

  const boxOf = (name: NodeName, origin: DOMRect): Box => {
    const { left, right, top, bottom } = find(`#node-${name}`, HTMLElement).getBoundingClientRect();
    return { left: left - origin.left, right: right - origin.left, top: top - origin.top, bottom: bottom - origin.top };
  };

  const draw = (): void => {
    const origin = section.getBoundingClientRect();
    canvas.setAttribute('width', String(origin.width));
    canvas.setAttribute('height', String(origin.height));
    const isColumn = boxOf('function', origin).left === boxOf('requests', origin).left;
    for (const { from, to, isRare, isShownInColumn, shift = 0 } of EDGES) {
      const name = `${from}-${to}`;
      const path = paths.get(name) ?? document.createElementNS(SVG, 'path');
      if (!paths.has(name)) canvas.append(path);
      paths.set(name, path);
      path.setAttribute('class', isRare ? 'edge rare' : 'edge');
      path.setAttribute('marker-end', 'url(#arrow)');
      path.setAttribute('d', pathBetween(boxOf(from, origin), boxOf(to, origin), shift));
      path.style.display = isColumn && !isShownInColumn ? 'none' : '';
    }
  };

  const addArrow = (): void => {
    const marker = document.createElementNS(SVG, 'marker');
    for (const [name, value] of Object.entries({
      id: 'arrow',
      viewBox: '0 0 8 8',
      refX: '1',
      refY: '4',
      markerWidth: '7',
      markerHeight: '7',
      orient: 'auto-start-reverse',
    })) {
      marker.setAttribute(name, value);
    }
    const head = document.createElementNS(SVG, 'path');
    head.setAttribute('d', 'M 0 0.5 L 7 4 L 0 7.5 z');
    marker.append(head);
    canvas.append(marker);
  };

  const dot = (path: SVGPathElement, kind: string, delayMs: number): void => {
    const circle = document.createElementNS(SVG, 'circle');
    circle.setAttribute('r', '5');
    circle.setAttribute('class', 'dot');
    circle.dataset['outcome'] = kind;
    circle.style.offsetPath = `path("${path.getAttribute('d')}")`;
    canvas.append(circle);
    const running = circle.animate(
      [
        { offsetDistance: '0%', opacity: 0 },
        { opacity: 1, offset: 0.1 },
        { opacity: 1, offset: 0.9 },
        { offsetDistance: '100%', opacity: 0 },
      ],
      { duration: DOT_MS, delay: delayMs, easing: 'ease-in-out', fill: 'both' },
    );
    running.onfinish = () => circle.remove();
    running.oncancel = () => circle.remove();
  };

  addArrow();
  draw();
  new ResizeObserver(draw).observe(section);
  for (const node of section.querySelectorAll('.node')) new ResizeObserver(draw).observe(node);

  /** `count` dots from one part to the next; of many, a few stand for all. */
  return (from: NodeName, to: NodeName, count: number, kind: string): void => {
    const path = paths.get(`${from}-${to}`);
    if (!path || count <= 0 || wantsStillness.matches || document.hidden || path.style.display === 'none') return;
    for (let index = 0; index < Math.min(MOST_DOTS, count); index += 1) dot(path, kind, index * 70);
  };
};
