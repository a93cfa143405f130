/** In the place of the SDK's chain of credential providers: the one of them that reads the environment. */
import { fromEnv } from '@aws-sdk/credential-provider-env';

export const defaultProvider = (): ReturnType<typeof fromEnv> => fromEnv();
