// Calls a tenant by Microsoft's own clients, which know Entra and Graph from elsewhere
// than we do, and writes what each gave as one line of JSON.
//
//   node driver.mjs PACKAGES LOGIN_URL GRAPH_URL TENANT APP SECRET PEM USER
//
// PEM is a file with the application's certificate and its key. Both endpoints are trusted
// by NODE_EXTRA_CA_CERTS.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [packages, authorityHost, baseUrl, tenant, app, secret, certificatePath, user] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const { ClientCertificateCredential, ClientSecretCredential } = require('@azure/identity');
const graph = require('@microsoft/microsoft-graph-client');
const { TokenCredentialAuthenticationProvider } = require('@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials');

const say = (name, got) => process.stdout.write(JSON.stringify({ name, got }) + '\n');
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const refused = (promise) => promise.then(() => ({}), (err) => ({
  status: err.statusCode, code: err.code, text: err.message, request: err.requestId, body: err.body && JSON.parse(err.body),
}));

// Entra. Other authorities than Microsoft's are used only where discovery is left out.
const scopes = ['https://graph.microsoft.com/.default'];
const options = { authorityHost, disableInstanceDiscovery: true };
const credential = new ClientSecretCredential(tenant, app, secret, options);
const life = (token) => Math.round((token.expiresOnTimestamp - Date.now()) / 60_000);
say('secret', { minutes: life(await credential.getToken(scopes)) });
say('certificate', { minutes: life(await new ClientCertificateCredential(tenant, app, { certificatePath }, options).getToken(scopes)) });
say('stranger', await refused(new ClientSecretCredential(tenant, app, 'wrong', options).getToken(scopes)));

// Graph. The client gives its token to the hosts that it is told of alone, and knows a
// host by its name without the port. The addresses of Outlook's upload sessions are at
// another host than Graph: uploads have a client that was told of none.
const authProvider = new TokenCredentialAuthenticationProvider(credential, { scopes });
const client = graph.Client.initWithMiddleware({ authProvider, baseUrl, customHosts: new Set([new URL(baseUrl).hostname]) });
const elsewhere = graph.Client.initWithMiddleware({ authProvider, baseUrl });
const mailbox = `/users/${user}`;
const Prefer = 'IdType="ImmutableId"';
const api = (path) => client.api(mailbox + path).header('Prefer', Prefer);

// Everything that a collection has, over its pages, and the deltaLink at its end.
const iterate = async (first) => {
  const all = [];
  const pages = new graph.PageIterator(client, first, (entity) => all.push(entity) > 0, { headers: { Prefer } });
  await pages.iterate();
  return { all, complete: pages.isComplete(), link: pages.getDeltaLink() };
};
const brief = ({ all, complete, link }) => ({
  complete, delta: link !== undefined, ids: all.filter((x) => !x['@removed']).map((x) => x.id), removed: all.filter((x) => x['@removed']).map((x) => x.id),
});

say('folders', (await iterate(await api('/mailFolders').top(5).get())).all.map((x) => x.displayName));
const listed = await iterate(await api('/mailFolders/inbox/messages').select('id,subject').top(10).get());
say('messages', brief(listed));
const initial = await iterate(await api('/mailFolders/inbox/messages/delta').select('id,subject,isRead').get());
say('delta', brief(initial));

// What changes, by this client, and the round that tells of it.
const [changed, deleted] = [listed.all[3].id, listed.all[5].id];
await api(`/messages/${changed}`).patch({ isRead: true, categories: ['Peer'] });
await api(`/messages/${deleted}`).delete();
say('changed', { changed, deleted });
const again = await iterate(await client.api(initial.link).header('Prefer', Prefer).get());
say('again', brief(again));

const oldest = listed.all.at(-1).id;
say('value', { id: oldest, text: await api(`/messages/${oldest}/$value`).get() });

// A message with a time of its own, that is no draft, with files of both sizes.
const made = await api('/mailFolders/inbox/messages').post({
  subject: 'Made by the peer', body: { contentType: 'text', content: 'Hello.' },
  toRecipients: [{ emailAddress: { name: 'Bea', address: 'bea@fabrikam.example' } }],
  singleValueExtendedProperties: [
    { id: 'Integer 0x0E07', value: '1' }, { id: 'SystemTime 0x0E06', value: '2019-03-04T05:06:07Z' },
    { id: 'String {00020329-0000-0000-C000-000000000046} Name Peer', value: 'kept' },
  ],
  attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'small.txt', contentType: 'text/plain', contentBytes: Buffer.from('small').toString('base64') }],
});
const size = 4 << 20;
const content = new Uint8Array(size).map((_, n) => (n * 31 + (n >> 8)) & 255);
const begin = () => graph.LargeFileUploadTask.createUploadSession(client, `${mailbox}/messages/${made.id}/attachments/createUploadSession`, {
  AttachmentItem: { attachmentType: 'file', name: 'large.bin', size },
});
const ranges = [];
const session = await begin();
const upload = new graph.LargeFileUploadTask(elsewhere, new graph.FileUpload(content.buffer, 'large.bin', size), session, {
  rangeSize: 1_500_000, uploadEventHandlers: { progress: (range) => ranges.push([range.minValue, range.maxValue]) },
});
const uploaded = await upload.upload();
const attachment = decodeURIComponent(/Attachments\('([^']*)'\)/i.exec(uploaded.location)?.[1] ?? '');
const file = await api(`/messages/${made.id}/attachments/${attachment}/$value`).responseType(graph.ResponseType.ARRAYBUFFER).get();
const seen = await api(`/messages/${made.id}`).expand("singleValueExtendedProperties($filter=id eq 'String {00020329-0000-0000-C000-000000000046} Name Peer')").get();
say('made', {
  id: made.id, draft: seen.isDraft, received: seen.receivedDateTime, properties: seen.singleValueExtendedProperties, ranges,
  expires: session.expiry > new Date(), sent: sha256(content), file: sha256(Buffer.from(file)),
});

// An upload that is given up.
const given = new graph.LargeFileUploadTask(elsewhere, new graph.FileUpload(content.buffer, 'large.bin', size), await begin(), { rangeSize: 1_500_000 });
const first = given.getNextRange();
await given.uploadSlice(content.buffer.slice(first.minValue, first.maxValue + 1), first, size);
await given.getStatus();
const next = given.getNextRange();
say('given up', { next: [next.minValue, next.maxValue], status: (await given.cancel()).status, after: await refused(given.getStatus()) });

// Several at once, of which one is not there, and one changes something.
const step = (id, path, init) => ({ id, request: new Request(`${baseUrl}${mailbox}${path}`, init) });
const batch = new graph.BatchRequestContent([
  step('folder', '/mailFolders/inbox?$select=displayName'), step('missing', '/messages/AAMkNothing'), step('mime', `/messages/${oldest}/$value`),
  step('post', '/messages', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ subject: 'Made in a batch' }) }),
]);
const answers = new graph.BatchResponseContent(await client.api('/$batch').post(await batch.getContent()));
const parts = {};
for (const [id, answer] of answers.getResponses()) {
  parts[id] = { status: answer.status, text: await answer.text() };
}
say('batch', parts);

// A refusal for now, which the client waits out by itself, for a second at most unless
// Retry-After says longer; and one that stays.
const wait = [new graph.RetryHandlerOptions(0)];
say('throttled', await client.api(`${mailbox}/mailFolders/inbox`).header('X-Peer', 'throttle').middlewareOptions(wait).get());
say('missing', await refused(client.api(`${mailbox}/messages/AAMkNothing`).header('client-request-id', '7f0c1f5e-6f1b-4c7e-9d62-3f8b1f1d9a11').get()));
