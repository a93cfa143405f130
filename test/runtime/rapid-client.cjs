// Stands in for aws-lambda-ric's native addon: the Runtime API over node:http. All else of the runtime client is real.
const http = require('node:http');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    const length =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = {
      host,
      port,
      method,
      agent,
      path: `/2018-06-01/runtime/invocation/${path}`,
      headers: length,
    };
    const sent = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ bodyJson: Buffer.concat(chunks).toString(), headers: response.headers }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });

let last = Promise.resolve();
const ignore = () => {
  // The runtime client learns of a broken Runtime API with its next call.
};

module.exports = {
  initializeClient() {},
  next: async () => {
    await last;
    return call('GET', 'next');
  },
  done: (id, body) => {
    last = call('POST', `${id}/response`, body).catch(ignore);
  },
  // The X-Ray cause, a third argument, is left out: it does not fit a header of node:http.
  error: (id, body) => {
    last = call('POST', `${id}/error`, body).catch(ignore);
  },
};
