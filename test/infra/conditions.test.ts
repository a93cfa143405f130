/** Decided conditions are carried out ahead; open ones stay for CloudFormation. */
import { expect, test } from 'vitest';
import { decideConditions } from '../../infra/conditions.ts';

const NO_VALUE = { Ref: 'AWS::NoValue' };
const template = {
  Conditions: {
    IsOn: { 'Fn::Equals': ['true', 'true'] },
    IsOff: { 'Fn::Not': [{ Condition: 'IsOn' }] },
    IsOpen: { 'Fn::Equals': [{ Ref: 'Fifo' }, 'true'] },
    IsOffAnyway: { 'Fn::And': [{ Condition: 'IsOpen' }, { Condition: 'IsOff' }] },
    IsOnAnyway: { 'Fn::Or': [{ Condition: 'IsOpen' }, { Condition: 'IsOn' }] },
    IsOpenStill: { 'Fn::And': [{ Condition: 'IsOpen' }, { Condition: 'IsOn' }] },
  },
  Resources: {
    Kept: {
      Type: 'A::B::C',
      Condition: 'IsOnAnyway',
      DependsOn: ['Gone', 'Open', 'Other'],
      Properties: {
        list: [{ 'Fn::If': ['IsOff', 'no', NO_VALUE] }, { 'Fn::If': ['IsOn', { Ref: 'Other' }, NO_VALUE] }],
        gone: { 'Fn::If': ['IsOffAnyway', 'no', NO_VALUE] },
        open: { 'Fn::If': ['IsOpen', { 'Fn::If': ['IsOff', 'no', NO_VALUE] }, 'closed'] },
      },
    },
    Gone: { Type: 'A::B::C', Condition: 'IsOffAnyway' },
    Open: { Type: 'A::B::C', Condition: 'IsOpenStill' },
    Other: { Type: 'A::B::C' },
  },
  Outputs: { Gone: { Condition: 'IsOff', Value: '' }, Kept: { Condition: 'IsOn', Value: 'x' } },
};

test('what a decided condition leaves out is left out, and what hangs on an open one stays', () => {
  expect(decideConditions(template)).toEqual({
    Conditions: {
      IsOpen: { 'Fn::Equals': [{ Ref: 'Fifo' }, 'true'] },
      IsOpenStill: { 'Fn::And': [{ Condition: 'IsOpen' }, { Condition: 'IsOn' }] },
      IsOn: { 'Fn::Equals': ['true', 'true'] },
    },
    Resources: {
      Kept: {
        Type: 'A::B::C',
        // Other is named in its values.
        DependsOn: ['Open'],
        Properties: { list: [{ Ref: 'Other' }], open: { 'Fn::If': ['IsOpen', NO_VALUE, 'closed'] } },
      },
      Open: { Type: 'A::B::C', Condition: 'IsOpenStill' },
      Other: { Type: 'A::B::C' },
    },
    Outputs: { Kept: { Value: 'x' } },
  });
});
