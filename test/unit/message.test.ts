/** What SQS counts of a message: its body and all of each attribute. */
import { expect, test } from 'vitest';
import { messageBytes, text } from '../../functions/aws/message.ts';

test.each([
  ['a body, in bytes', 'ä', {}, 2],
  ["an attribute's name, type and value", '1', { Name: text('välue') }, 1 + 4 + 6 + 6],
  ['a binary value as what it stands for', '', { N: { dataType: 'Binary', binaryValue: 'AAEC' } }, 1 + 6 + 3],
  ['what has no value by its name and type', '', { N: { dataType: 'String' } }, 1 + 6],
])('%s counts', (_, body, attributes, bytes) => {
  expect(messageBytes(body, attributes)).toBe(bytes);
});
