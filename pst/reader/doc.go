// Package reader reads Outlook data files, whoever wrote them: Unicode (wVer 23)
// and ANSI (14 and 15), not encoded, permuted or cyclic ([MS-PST]).
//
// It goes through three layers, as the format does. The first finds nodes and
// blocks in two B-trees of pages and proves each page and block by its checksum,
// signature and id as it is read (pages.go, blocks.go, tree.go, subnodes.go). The
// second finds heaps in the data of nodes, and in the heaps property contexts and
// tables (heap.go, bth.go, props.go, table.go). The third knows folders, messages
// and attachments.
//
// A file is not trusted. Nothing is read outside of it; each size that it gives is
// held against its own size before memory is taken; the trees are walked downwards
// only, in the order of their keys, so that a page or block that is linked twice is
// seen and not followed. What is wrong is told as a [*Damage] that names node and
// offset, and the rest goes on: a damaged message does not stop the next, and
// where a table of contents is damaged, the messages are found by the parent that
// the node tree gives them.
//
// [Open] needs the header and the root pages. Where these are damaged, [Rescue] reads the
// whole file and gives what is left of it.
//
// Memory does not grow with the file: tables are iterated, attachments streamed,
// pages and blocks kept in caches with a bound. Only Rescue holds where each block is.
package reader
