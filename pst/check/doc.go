// Package check is a strict check of Outlook data files: it finds what Outlook, or its
// repair tool scanpst, would refuse, mend or show wrongly, while other readers
// notice next to nothing of it. It parses all by itself and shares no code with
// whoever wrote the file, so that a fault of a writer is not hidden by the same
// fault of a reader.
//
// What is checked of a Unicode file (wVer 23): the header; the AMap, PMap, FMap and
// FPMap pages with every bit of the AMaps; both B-trees; every block with its
// checksum, signature and reference count; data trees and subnode trees; heaps, trees on heaps,
// property contexts and table contexts; the name-to-id map; the store, folders
// with their tables, templates, messages, recipients, attachments and the messages in
// them. Of an ANSI file (wVer 14, 15): all of that up to the subnode trees.
// Files with pages of 4,096 bytes (wVer 36, 37) are not checked. Nobody knows all that Outlook
// wants: that a file is clean does not prove that Outlook opens it.
//
// Where [MS-PST] and the files of real Outlook differ the files are followed, and
// a comment says so. No file that Outlook itself wrote may have a finding; those
// that the project's tests know have none. Rules that are only
// advisable have the [Severity] Advice: the numbers in FMap and FPMap pages, which the text calls
// deprecated, PidTagMessageSize, for which there is no exact formula, and values that no
// property has, which only waste room.
//
// Not checked: what the rows of search folders and the nodes of Outlook's own search say, and the
// values of properties beyond what the file needs: nobody can tell that a letter of a body was
// another. The padding of entries of the B-trees is not, since Outlook leaves anything in it.
//
// # Cost
//
// All of the file is read once, in its order; what holds structure (not the content of
// attachments) once more. Memory does not grow with the size of the file but with what is in it:
// 24 bytes for a block and 4 for its place in the order of the file, 20 for a node, about 40 for a page
// of a B-tree, 8 for a row of the largest table; and 6 MB whatever the file is; up to
// twice that while Go collects garbage. A message of its own has two or three blocks: a file of
// 3.3 GB with a million messages took 330 MB and 18 seconds on a busy machine. A damaged or hostile file cannot make
// the check loop: each page is visited once, and the blocks that the second pass
// looks at are counted; a file that wants far more than it has is given up with a finding.
package check
