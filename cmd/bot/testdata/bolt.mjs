// A Slack app on Slack's own Bolt for JavaScript that acknowledges a slash
// command and does nothing else. It is what docs/performance.md compares with.
//
//	node bolt.mjs FOLDER_OF_PACKAGES SIGNING_SECRET
//
// It prints the port that it listens on.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, signingSecret] = process.argv.slice(2);
const { App, HTTPReceiver, LogLevel } = createRequire(join(folder, 'package.json'))('@slack/bolt');

const receiver = new HTTPReceiver({ signingSecret, endpoints: '/slack/commands', logLevel: LogLevel.ERROR });
const app = new App({
  receiver,
  logLevel: LogLevel.ERROR,
  authorize: async () => ({ botToken: 'xoxb-1', botId: 'B0BOT', botUserId: 'U0BOT' }), // asks nobody
});
app.command('/backup', async ({ ack }) => { await ack(); });
const server = await app.start({ port: 0, host: '127.0.0.1' });
console.log(server.address().port);
process.stdin.on('end', () => process.exit(0)).resume(); // with whoever started it
