/** The page: server-sent events in, picture and charts out. */
import { type Breakage, describeBreakage } from '../fault-names.ts';
import type { Sample } from '../history.ts';
import type { Snapshot } from '../snapshot.ts';
import { fairnessState, headline, requestsState, timeLeft } from '../view.ts';
import { createCharts } from './charts.ts';
import { createControls } from './controls.ts';
import { createDetail } from './detail.ts';
import { create, createList, find, setText } from './dom.ts';
import { createPicture } from './picture.ts';
import { createAnswers, createQueue } from './rows.ts';

/** The server's clock, which is this machine's, but for a page that was asleep. */
const now = (): number => Date.now();

const showQueue = {
  requests: createQueue('requests', now),
  rejected: createQueue('rejected', now),
  exhausted: createQueue('exhausted', now),
  outcomes: createQueue('outcomes', now),
};
const showAnswers = createAnswers();
const showBreakages = createList<Breakage>(find('#breakages', HTMLElement), {
  keyOf: ({ fault, identifier }) => `${fault} ${identifier ?? ''}`,
  make: () => create('li', ''),
  fill: (item, breakage) => {
    const left = breakage.endsAt === undefined ? '' : `, for ${timeLeft(breakage.endsAt - now())}`;
    setText(item, `${describeBreakage(breakage)}${left}`);
  },
});
const move = createPicture();
const drawCharts = createCharts();
const controls = createControls();
createDetail();

/** A dot for each thing that moved since the snapshot before. */
const animate = (before: Snapshot, after: Snapshot): void => {
  move('requests', 'function', after.requests.inWork - before.requests.inWork, 'in-work');
  const calls = after.calls - before.calls;
  move('function', 'kong', calls, 'in-work');
  if (after.segura === 'up') move('kong', 'segura', calls, 'in-work');
  const enabled =
    after.totals.enabled - before.totals.enabled + after.totals['already-enabled'] - before.totals['already-enabled'];
  const rejected = after.totals.rejected - before.totals.rejected;
  move('function', 'outcomes', enabled, 'enabled');
  move('function', 'outcomes', rejected, 'rejected');
  move('function', 'rejected', rejected, 'rejected');
  move('requests', 'exhausted', after.exhausted.count - before.exhausted.count, 'exhausted');
};

const show = (snapshot: Snapshot): void => {
  const { requests, rejected, exhausted, outcomes, segura, breakages, isPaused } = snapshot;
  showQueue.requests(requests);
  showQueue.rejected(rejected);
  showQueue.exhausted(exhausted);
  showQueue.outcomes(outcomes);
  showAnswers(snapshot.answers);
  showBreakages(breakages);
  controls.showPaused(isPaused);
  find('#node-segura', HTMLElement).dataset['segura'] = segura;
  document.body.dataset['paused'] = String(isPaused);
  setText(find('#segura-state', HTMLElement), segura);
  setText(find('#segura-calls', HTMLElement), `${snapshot.calls.toLocaleString('en')} calls to enable`);
  setText(find('#remark', HTMLElement), snapshot.remark ?? '');
  const inWork = requests.inWork === 0 ? 'idle' : `${requests.inWork} in work`;
  setText(find('#function-state', HTMLElement), isPaused ? 'paused' : inWork);
  setText(find('#headline', HTMLElement), headline(snapshot));
  setText(find('[data-queue="requests"] .state', HTMLElement), requestsState(requests, now()));
  setText(find('#fairness', HTMLElement), fairnessState(requests));
};

let last: Snapshot | undefined;
let samples: readonly Sample[] = [];

const connect = (): void => {
  const connection = find('#connection', HTMLElement);
  const tellConnection = (state: string): void => {
    connection.dataset['state'] = state;
    setText(connection, state);
  };
  const events = new EventSource('/events');
  const on = <Value>(name: string, take: (value: Value) => void): void =>
    events.addEventListener(name, ({ data }: MessageEvent<string>) => take(JSON.parse(data) as Value));
  on<readonly Sample[]>('history', (history) => {
    samples = history;
    drawCharts(samples);
  });
  on<Sample>('sample', (sample) => {
    samples = [...samples.slice(-900), sample];
    drawCharts(samples);
  });
  on<Snapshot>('snapshot', (snapshot) => {
    show(snapshot);
    if (last) animate(last, snapshot);
    last = snapshot;
  });
  events.addEventListener('open', () => tellConnection('live'));
  events.addEventListener('error', () => tellConnection('not connected'));
};

connect();
// What counts down does so between snapshots, too.
setInterval(() => last && show(last), 1000);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawCharts(samples));
