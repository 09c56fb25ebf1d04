package writer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"

	"keepwatch/pst"
)

// newFolderSize is more than what the nodes, tables and tree entries of an empty
// folder take in a file, with a name of 255 characters in its own properties and in
// the table of its parent.
const newFolderSize = 4096

// blankSize is more than what the nodes take that every store has.
const blankSize = 64 << 10

// file is one volume: the node database and what is known of its store.
type file struct {
	f     *os.File
	v     *volume
	path  string // without the end that says that it is not whole
	key   pst.GUID
	names *names

	base, top, finder, deleted, views, spam *folder

	nextFolder, nextMessage, nextAssociated uint32

	serial   uint64 // of search keys
	versions uint32 // of rows
	messages int64
	used     bool  // it has a message, or a hidden one
	waiting  int64 // bytes that are in memory or to come, apart from the node database
}

// newFile begins a volume with the folders of a blank store.
func newFile(f *os.File, path string, o *Options) (*file, error) {
	crypt := pst.CryptPermute
	if o.Plain {
		crypt = pst.CryptNone
	}
	n, err := newNames()
	if err != nil {
		return nil, err
	}
	out := &file{
		f: f, v: newVolume(f, crypt), path: path, key: o.RecordKey(), names: n, waiting: blankSize,
		nextFolder: pst.NIDIPMSubtree.Index(), nextMessage: 0x10000, nextAssociated: 0x8000,
	}
	out.base = &folder{nid: pst.NIDRoot}
	out.base.parent = out.base
	out.top = out.folder(out.base, "Top of Outlook data file", "")
	out.finder = out.folder(out.base, "Search Root", "")
	out.deleted = out.folder(out.top, "Deleted Items", "")
	about := "Deleted Items folder"
	out.deleted.comment = &about
	out.spam = &folder{nid: pst.NIDSpamSearch, parent: out.base, name: "SPAM Search Folder 2"}
	out.base.children = append(out.base.children, out.spam)
	out.views = out.folder(out.base, "IPM_COMMON_VIEWS", "")
	none := ""
	out.views.comment = &none
	return out, nil
}

// folder makes a folder.
func (f *file) folder(parent *folder, name, class string) *folder {
	d := &folder{nid: pst.NewNID(pst.NodeFolder, f.nextFolder), parent: parent, name: name, class: class}
	f.nextFolder++
	f.waiting += newFolderSize
	parent.children = append(parent.children, d)
	return d
}

// messageNode gives a message an id that no other has.
func (f *file) messageNode() pst.NID {
	f.nextMessage++
	return pst.NewNID(pst.NodeMessage, f.nextMessage)
}

// size is how many bytes the volume would have if it were finished now, or a little more.
func (f *file) size() int64 { return f.v.size() + f.waiting + f.names.size }

// blank tells whether the volume has nothing but what every store has.
func (f *file) blank() bool { return !f.used && f.nextFolder == f.views.nid.Index()+1 }

// version gives a row its version.
func (f *file) version() uint32 {
	f.versions++
	return f.versions
}

// id gives a property its id in this file.
func (f *file) id(p *pst.Property) (uint16, error) {
	if p.IsNamed() {
		return f.names.id(p.Named)
	}
	if id := p.Tag.ID(); id > 0 && id < firstName {
		return id, nil
	}
	return 0, fmt.Errorf("the property %v has no meaning of its own: an id is between 0x0001 and 0x7FFF, and those above go by names", p.Tag)
}

// searchKey makes 16 bytes that no other message has.
func (f *file) searchKey() [16]byte {
	f.serial++
	var in [24]byte
	copy(in[:], f.key[:])
	binary.LittleEndian.PutUint64(in[16:], f.serial)
	sum := sha256.Sum256(in[:])
	return [16]byte(sum[:])
}

// state is what a message that is taken back has changed, apart from what nobody sees.
type state struct {
	blocks  mark
	names   int
	guids   int
	message uint32
	serial  uint64
}

func (f *file) mark() state {
	return state{f.v.mark(), len(f.names.list), len(f.names.guids), f.nextMessage, f.serial}
}

func (f *file) rollback(s state) error {
	f.names.cut(s.names, s.guids)
	f.nextMessage, f.serial = s.message, s.serial
	return f.v.rollback(s.blocks)
}
