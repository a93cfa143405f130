/** One POST over a kept-alive connection. Under --https the bundler puts node:https in the place of node:http. */
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });

/** @throws Error for any status but 200. */
export const post = (url: string, headers: Record<string, string>, body = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const length = { 'Content-Length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    sent.on('error', reject).end(body);
  });
