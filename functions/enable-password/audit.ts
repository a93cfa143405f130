/** Every metric that enable-password emits; alarms and dashboard may name no other (a test compares them). */
export const METRICS = {
  Enabled: 'Count',
  AlreadyEnabled: 'Count',
  Rejected: 'Count',
  Kept: 'Count',
  RequestAge: 'Seconds',
  SeguraLatency: 'Milliseconds',
  SeguraAttempts: 'Count',
  TokenRequests: 'Count',
  CredentialFailures: 'Count',
} as const;
