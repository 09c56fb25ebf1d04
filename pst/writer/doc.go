// Package writer makes Outlook data files (PST): Unicode, version 23, in one pass,
// append-only. What has been added lies in the file and no longer in memory, apart
// from some 60 bytes a message, 1 KB a folder and 30 KB of each of the 64 folders that
// were last in use; attachments stream through. With more folders than that a second
// file lies beside the first until the end, without a name where the system allows it.
//
// A Writer begins with Create and ends with Close or Abort; between them folders are
// asked for and messages added, in any order. Until Close every file has a temporary
// name, and the one that is being written no header: nobody takes it for a whole one.
// One goroutine uses a Writer at a time.
//
// What the writer sees to itself: every node that a store of Outlook has from the
// start; the tables of a folder, whose rows repeat the properties of what they list;
// the counts of a folder; of a message its class, flags, status, size, times, search
// key and lists of recipients, of a recipient all but name, address and kind, as far as
// they are not given; of an attachment its size, which is at most 2 GB less one byte.
// Messages are embedded in one another at most 32 deep. Texts hold any Unicode: invalid
// UTF-8 and U+0000 become U+FFFD.
package writer
