// The JSON schema of Block Kit is generated from this type.
import type { KnownBlock } from '@slack/types';

export type Blocks = KnownBlock[];
