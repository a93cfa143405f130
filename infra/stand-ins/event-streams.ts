/** In the place of the SDK's event streams: neither SQS nor Secrets Manager has one. */
export {};
