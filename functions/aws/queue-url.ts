/** A queue's URL: which region it names, and whether two name the same queue. */

export const QUEUE_URL_EXAMPLE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/requests';

/** Also of FIPS, dual-stack and VPC endpoints (AWS General Reference, "Amazon SQS endpoints and quotas"). */
export const regionOfQueue = (url: string): string | undefined =>
  /^https?:\/\/(?:[^/]+\.)?sqs(?:-fips)?\.([a-z0-9-]+)\./.exec(url)?.[1];

/** By account, name and region: one queue is reached by several hosts. */
export const isSameQueue = (a: string, b: string): boolean => {
  const [pathOfA, pathOfB] = [a, b].map((url) => new URL(url).pathname.replace(/\/+$/, ''));
  const [regionOfA, regionOfB] = [regionOfQueue(a), regionOfQueue(b)];
  return pathOfA === pathOfB && (regionOfA ?? regionOfB) === (regionOfB ?? regionOfA);
};
