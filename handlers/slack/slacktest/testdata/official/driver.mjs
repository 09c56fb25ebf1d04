// An app made of Slack's own packages, which a Go test leads: it writes one JSON
// object a line for everything that it sees, takes one JSON object a line on
// standard input as an order, and ends when standard input does.
//
//   node driver.mjs socket|http PACKAGES
//
// PACKAGES is the folder in which node_modules lies. The environment has
// SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_SIGNING_SECRET.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , mode, packages] = process.argv;
const require = createRequire(join(packages, 'driver.js'));
const { WebClient, LogLevel } = require('@slack/web-api');
const slackApiUrl = process.env.SLACK_API_URL;

const say = (what, fields = {}) => process.stdout.write(`${JSON.stringify({ what, ...fields })}\n`);
const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {} };
const web = new WebClient(process.env.SLACK_BOT_TOKEN, { slackApiUrl, logger: quiet, retryConfig: { retries: 2, minTimeout: 1, maxTimeout: 1 } });

const modal = {
  type: 'modal', callback_id: 'when', title: { type: 'plain_text', text: 'When' }, submit: { type: 'plain_text', text: 'Save' }, notify_on_close: true,
  blocks: [{ type: 'input', block_id: 'text', label: { type: 'plain_text', text: 'Text' }, element: { type: 'plain_text_input', action_id: 'text' } }],
};

// Orders call any method of the Web API, or upload a file.
const orders = {
  call: async ({ method, args }) => web.apiCall(method, args),
  upload: async ({ args }) => web.filesUploadV2({ ...args, file: Buffer.from(args.file) }),
  page: async ({ args }) => {
    const texts = [];
    for await (const page of web.paginate('conversations.history', args)) {
      texts.push(...page.messages.map((m) => m.text));
    }
    return { texts };
  },
};

async function obey(line) {
  const order = JSON.parse(line);
  try {
    say('done', { id: order.id, answer: await orders[order.do](order) });
  } catch (e) {
    say('failed', { id: order.id, code: e.code, error: e.data?.error ?? e.message, data: e.data });
  }
}

async function socket() {
  const { SocketModeClient } = require('@slack/socket-mode');
  // The client waits this long before it connects again; its default is 5 s.
  const client = new SocketModeClient({ appToken: process.env.SLACK_APP_TOKEN, clientOptions: { slackApiUrl }, clientPingTimeout: 300, logger: quiet });
  for (const state of ['connected', 'reconnecting', 'disconnected', 'close']) {
    client.on(state, () => say(state));
  }
  client.on('error', (e) => say('error', { error: e.message }));
  client.on('slash_commands', async ({ body, ack, accepts_response_payload }) => {
    await ack({ text: `got ${body.text}` });
    say('command', { text: body.text, user: body.user_id, accepts: accepts_response_payload, response_url: body.response_url });
  });
  client.on('interactive', async ({ body, ack }) => {
    if (body.type === 'view_submission') {
      const text = body.view.state.values.text.text.value;
      await ack(text === 'bad' ? { response_action: 'errors', errors: { text: 'not that' } } : undefined);
    } else if (body.type === 'block_suggestion') {
      await ack({ options: [{ text: { type: 'plain_text', text: body.value.toUpperCase() }, value: body.value }] });
    } else {
      await ack();
    }
    say(body.type, { action: body.actions?.[0]?.action_id, view: body.view?.callback_id });
    if (body.type === 'block_actions') {
      await web.views.open({ trigger_id: body.trigger_id, view: modal });
    }
  });
  client.on('slack_event', async ({ ack, type, body, retry_num: num, retry_reason: reason }) => {
    if (type === 'events_api') {
      say('event', { type: body.event.type, text: body.event.text, event_id: body.event_id, retry: num, reason });
      if (body.event.text?.includes('ignore') && !num) {
        return;
      }
      await ack();
    } else if (!['slash_commands', 'interactive'].includes(type)) {
      await ack();
      say('unknown', { type });
    }
  });
  await client.start();
  return () => client.disconnect();
}

async function http() {
  const { App, HTTPReceiver } = require('@slack/bolt');
  const receiver = new HTTPReceiver({ signingSecret: process.env.SLACK_SIGNING_SECRET, endpoints: ['/slack/commands', '/slack/interactions', '/slack/events'], logger: quiet });
  const app = new App({ token: process.env.SLACK_BOT_TOKEN, receiver, clientOptions: { slackApiUrl }, logger: quiet });
  app.command('/backup', async ({ command, ack, respond }) => {
    await ack();
    say('command', { text: command.text, user: command.user_id });
    await respond({ text: `later: ${command.text}`, response_type: 'in_channel' });
  });
  app.action(/.*/, async ({ action, ack, respond, body, client }) => {
    await ack();
    say('block_actions', { action: action.action_id });
    await respond({ text: 'replaced', replace_original: true });
    await client.views.open({ trigger_id: body.trigger_id, view: modal });
  });
  app.view('when', async ({ ack, view }) => {
    const text = view.state.values.text.text.value;
    await ack(text === 'bad' ? { response_action: 'errors', errors: { text: 'not that' } } : undefined);
    say('view_submission', { text });
  });
  app.event('app_mention', async ({ event, body }) => {
    say('event', { type: event.type, text: event.text, event_id: body.event_id });
  });
  app.event('app_home_opened', async ({ event, client }) => {
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'Sources' } }] } });
    say('home');
  });
  const server = await app.start({ port: 0, host: '127.0.0.1' });
  say('listening', { port: server.address().port });
  return () => app.stop();
}

const stop = await (mode === 'socket' ? socket() : http());
for await (const line of createInterface({ input: process.stdin })) {
  obey(line); // orders run side by side; each answers with its id
}
await stop();
