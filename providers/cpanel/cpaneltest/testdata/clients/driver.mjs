// Calls a host by other people's clients, which know cPanel from elsewhere than we do,
// and writes what each gave as one line of JSON.
//
//   node driver.mjs PACKAGES CPANEL_PORT WHM_PORT WHM_TOKEN BACKUP
//
// The account is "ruthin" with the password "pw-ruthin". The certificate is trusted by
// NODE_EXTRA_CA_CERTS.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [packages, panelPort, whmPort, token, backup] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const lib = require('cpanel-lib');
const { WHM } = require('cpanel-rest-api');
const host = '127.0.0.1';

const say = (name, got) => process.stdout.write(JSON.stringify({ name, got }) + '\n');
const gave = async (name, promise) => say(name, await promise.catch((err) => ({ error: String(err.message || err) })));
const called = (call) => new Promise((done, failed) => call((err, res) => (err ? failed(err) : done(res))));

// cpanel-lib: UAPI with the password, API 2 and WHM API 1 with a token of WHM.
const panel = lib.createClient({ host, port: panelPort, username: 'ruthin', password: 'pw-ruthin' });
const whm = lib.createClient({ host, port: whmPort, username: 'root', accessKey: token });
const stranger = lib.createClient({ host, port: panelPort, username: 'ruthin', password: 'wrong' });
await gave('user', called((cb) => panel.callUapi('Variables', 'get_user_information', {}, cb)));
await gave('dates', called((cb) => panel.callUapi('Backup', 'list_backups', {}, cb)));
await gave('begun', called((cb) => panel.callUapi('Backup', 'fullbackup_to_homedir', { email: 'alis@contoso.example' }, cb)));
await gave('absent', called((cb) => panel.callUapi('Backup', 'no_such_function', {}, cb)));
await gave('stranger', called((cb) => stranger.callUapi('Backup', 'list_backups', {}, cb)));
await gave('pending', called((cb) => whm.callApi2('Backups', 'listfullbackups', {}, 'ruthin', cb)));
await gave('unlink', called((cb) => whm.callApi2('Fileman', 'fileop', { op: 'unlink', sourcefiles: backup, doubledecode: 0 }, 'ruthin', cb)));
await gave('version0', called((cb) => whm.call('version', { 'api.version': 1 }, cb)));

// cpanel-rest-api: WHM API 1, and UAPI through it.
const rest = new WHM({ host, port: Number(whmPort), secure: true, username: 'root', accessKey: token });
const ruthin = rest.uapi('ruthin');
await gave('version', rest.api('version'));
await gave('accounts', rest.api({ action: 'listaccts' }));
await gave('unknown', rest.api({ action: 'start_background_pkgacct', params: { user: 'nobody' } }));
await gave('databases', ruthin.api({ module: 'Mysql', func: 'list_databases' }));
await gave('quota', ruthin.api({ module: 'Quota', func: 'get_quota_info' }));
await gave('missing', ruthin.api({ module: 'Fileman', func: 'get_file_information', params: { path: '/home/ruthin/none' } }));
