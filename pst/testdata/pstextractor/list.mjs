// Lists a PST file with pst-extractor, one line of JSON for each folder and each item.
//
//     node list.mjs PACKAGES FILE OUTPUT [values]
//
// PACKAGES is where pst-extractor lies. An item is said in its words: by its methods, and
// not by what is below them. With "values" the properties are added as they lie in the file,
// under the names that it resolves, and what its classes know of a contact or an appointment.
//
// Those of its errors (version 1.12.0) that hide a message or a value, or take hours, are
// gone around here; each is where it is named below. What it says differently is in the Go
// test.
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [packages, from, to, mode] = process.argv.slice(2)
const require = createRequire(join(packages, 'package.json'))
const { PSTFile } = require('pst-extractor')

// It says what it could not read on the console, and goes on with the next item. That it
// does not know a class of message is no error: it takes it for a mail.
const said = []
for (const name of ['log', 'error']) {
  console[name] = (...all) => {
    const text = all.join(' ')
    if (!text.includes('createAppropriatePSTMessageObject unknown message type')) said.push(text)
  }
}

// The last name of the file it leaves out: processNameToIDMap goes over the entries of eight
// bytes as long as x + 8 < length, and not <=. To the stream of entries (0x0003) eight bytes
// are added, so that the last is no longer the last.
const { getData } = PSTFile.prototype
PSTFile.prototype.getData = function (item, local) {
  const data = getData.call(this, item, local)
  return item.entryType.toNumber() === 3 ? Buffer.concat([data, Buffer.alloc(8)]) : data
}

// Of a table it parses all rows anew for each recipient and each attachment, twice. The
// rows of one that is asked for as a whole are kept.
function keepRows(table) {
  if (!table) return
  const { getItems } = table
  const all = table.getItems()
  table.getItems = (...range) => (range.length > 0 ? getItems.apply(table, range) : all)
}

function people(m) {
  const all = []
  const count = m.numberOfRecipients
  keepRows(m.recipientTable)
  for (let i = 0; i < count; i++) {
    const r = m.getRecipient(i)
    all.push({ Type: r.recipientType, Person: { Name: r.displayName, Address: r.emailAddress } })
  }
  return all
}

// The stream is read as the program's own example reads it, in pieces as long as a block,
// but by its length: whoever asks for a byte behind the end is told that there is one.
function content(a) {
  const sum = createHash('sha256')
  const stream = a.fileInputStream
  const size = stream ? stream.length.toNumber() : 0
  for (let left = size; left > 0; ) {
    const piece = Buffer.alloc(Math.min(left, 8176))
    const n = stream.read(piece)
    if (n <= 0) throw new Error(`${left} bytes of ${size} are not there`)
    sum.update(piece.subarray(0, n))
    left -= n
  }
  return { Size: size, SHA256: sum.digest('hex') }
}

function attachments(m) {
  const all = []
  const count = m.numberOfAttachments
  keepRows(m.attachmentTable)
  for (let i = 0; i < count; i++) {
    const a = m.getAttachment(i)
    const got = { Name: a.longFilename, CID: a.contentId }
    if (a.attachMethod === 5) {
      // embeddedPSTMessage is null for every file there is, since it asks for a node that
      // the constructor of the attachment has set to null. java-libpst takes the message's.
      a.descriptorIndexNode = m.descriptorIndexNode
      const inner = a.embeddedPSTMessage
      if (!inner) throw new Error('an embedded message is not there')
      got.Item = message(inner)
    } else {
      Object.assign(got, content(a))
    }
    all.push(got)
  }
  return all
}

function message(m) {
  const it = {
    Class: m.messageClass,
    ID: m.internetMessageId,
    Subject: m.subject,
    Sent: m.clientSubmitTime ?? undefined,
    Received: m.messageDeliveryTime ?? undefined,
    From: { Name: m.senderName, Address: m.senderEmailAddress },
    Recipients: people(m),
    Text: m.body,
    HTML: m.bodyHTML,
    Page: (m.getBinaryItem(0x1013) ?? Buffer.alloc(0)).toString('base64'),
    Charset: m.getCodepage() ?? '',
    Headers: m.transportMessageHeaders,
    Attachments: attachments(m)
  }
  if (mode === 'values') {
    it.Values = values(m)
    it.Kind = m.constructor.name
    it.Fields = fields(m)
  }
  return it
}

// Properties as bytes, under the keys that the tests have for them.
function values(m) {
  const all = {}
  for (const [id, item] of m.pstTableItems) {
    let data = item.data
    if (item.isExternalValueReference) {
      if ([0x2, 0x3, 0x4, 0xa, 0xb].includes(item.entryValueType)) {
        data = Buffer.alloc(4)
        data.writeUInt32LE(item.entryValueReference >>> 0)
      } else {
        data = m.localDescriptorItems?.get(item.entryValueReference)?.getData()
        if (!data) throw new Error(`the property ${id.toString(16)} is not there`)
      }
    }
    all[`${named(id)}${item.entryValueType.toString(16).padStart(4, '0')}`] = data.toString('base64')
  }
  return all
}

function named(id) {
  if (id >= 0x8000) {
    const text = PSTFile.nodeMap.idToStringName.get(id)
    if (text !== undefined) return `${text.toLowerCase()}:`
    const number = PSTFile.getNameToIdMapKey(id)
    if (number === undefined) throw new Error(`the property ${id.toString(16)} has no name`)
    id = number.getLowBitsUnsigned()
  }
  return id.toString(16).padStart(4, '0')
}

// What the class of an item has methods for.
function fields(m) {
  const all = {}
  const proto = Object.getPrototypeOf(m)
  if (proto.constructor.name === 'PSTMessage') return all
  for (const [name, how] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
    if (!how.get) continue
    const value = how.get.call(m)
    all[name] = Buffer.isBuffer(value) ? value.toString('base64') : value
  }
  return all
}

const out = openSync(to, 'w')
const write = (line) => writeSync(out, JSON.stringify(line) + '\n')

// A folder says how many items it has, and so does its table; the items are counted beside.
function folder(d, path) {
  let count = 0
  for (let m = d.getNextChild(); m; m = d.getNextChild(), count++) {
    write({ Folder: path, Item: message(m) })
  }
  // A folder that is a search has no table of folders below it ([MS-PST] 2.4.8.6), and is
  // asked for none.
  const search = d.getNodeType() === 3
  const below = search ? [] : d.getSubFolders()
  write({ Folder: path, Class: d.containerClass, Search: search, Said: d.contentCount, Rows: d.emailCount, Count: count, Below: below.length, HasBelow: d.hasSubfolders })
  for (const sub of below) folder(sub, [...path, sub.displayName])
}

// From a file it makes a call of the system for each entry of each page that it looks at, from
// memory it makes none. Node reads no file above 2 GiB at once.
const inMemory = statSync(from).size < 2 ** 31
const file = new PSTFile(inMemory ? readFileSync(from) : from)
folder(file.getRootFolder(), [])
file.close()
closeSync(out)
if (said.length > 0) {
  process.stderr.write(said.slice(0, 20).join('\n') + '\n')
  process.exit(1)
}
