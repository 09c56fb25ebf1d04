// Command gopst lists a PST file with go-pst, one line of JSON for each item. It
// is a module of its own, so that what go-pst needs is no dependency of ours.
//
//	gopst FILE OUTPUT
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	gopst "github.com/mooijtech/go-pst/v6/pkg"
	"github.com/rotisserie/eris"
)

// The nodes and tags that go-pst has no names for.
const (
	recipients     = 0x692
	attachData     = 0x3701
	attachMethod   = 0x3705
	embedded       = 5
	typeObject     = 0x000D
	identifierMask = 0xFFFFFFFF
)

type item struct {
	Folder      []string
	Values      map[string][]byte
	Recipients  []map[string][]byte
	Attachments []attachment
}

type attachment struct {
	Values map[string][]byte
	Size   int64
	SHA256 string
	Item   *item
}

func main() {
	if err := list(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, eris.ToString(err, true))
		os.Exit(1)
	}
}

func list(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	file, err := gopst.New(in)
	if err != nil {
		return err
	}
	defer file.Cleanup()
	root, err := file.GetRootFolder()
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	if err := folder(&root, nil, json.NewEncoder(buffered)); err != nil {
		return err
	}
	return buffered.Flush()
}

// folder lists one with all below it. A line without values stands for the folder
// itself, so that empty ones are seen too.
func folder(d *gopst.Folder, path []string, out *json.Encoder) error {
	if err := out.Encode(item{Folder: path}); err != nil {
		return err
	}
	messages, err := d.GetMessageIterator()
	if err != nil && !eris.Is(err, gopst.ErrMessagesNotFound) {
		return eris.Wrapf(err, "folder %q", path)
	}
	for err == nil && messages.Next() {
		it, err := message(messages.Value())
		if err != nil {
			return eris.Wrapf(err, "message %#x in %q", messages.Value().Identifier, path)
		}
		it.Folder = path
		if err := out.Encode(it); err != nil {
			return err
		}
	}
	if err := messages.Err(); err != nil {
		return eris.Wrapf(err, "messages of %q", path)
	}
	below, err := d.GetSubFolders()
	if err != nil {
		return eris.Wrapf(err, "folders below %q", path)
	}
	for i := range below {
		if err := folder(&below[i], append(path[:len(path):len(path)], below[i].Name), out); err != nil {
			return err
		}
	}
	return nil
}

func message(m *gopst.Message) (*item, error) {
	it := &item{}
	var err error
	if it.Values, err = values(m.PropertyContext, m.LocalDescriptors); err != nil {
		return nil, err
	}
	if it.Recipients, err = table(m, recipients); err != nil {
		return nil, err
	}
	n, err := m.GetAttachmentCount()
	if err != nil {
		return nil, err
	}
	for i := range n {
		a, err := m.GetAttachment(i)
		if err != nil {
			return nil, err
		}
		got, err := attached(m.File, a)
		if err != nil {
			return nil, eris.Wrapf(err, "attachment %d", i)
		}
		it.Attachments = append(it.Attachments, *got)
	}
	return it, nil
}

func attached(file *gopst.File, a *gopst.Attachment) (*attachment, error) {
	got := &attachment{}
	var err error
	if got.Values, err = values(a.PropertyContext, a.LocalDescriptors, attachData); err != nil {
		return nil, err
	}
	if method := got.Values["37050003"]; len(method) > 0 && method[0] == embedded {
		got.Item, err = object(file, a)
		return got, err
	}
	sum := sha256.New()
	if got.Size, err = a.WriteTo(sum); err != nil && !eris.Is(err, gopst.ErrPropertyNotFound) {
		return nil, err
	}
	got.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return got, nil
}

// object reads an embedded message, which go-pst has no function for: the property is
// the id of a subnode and a size.
func object(file *gopst.File, a *gopst.Attachment) (*item, error) {
	r, err := a.PropertyContext.GetPropertyReader(attachData, a.LocalDescriptors)
	if err != nil {
		return nil, err
	}
	if r.Property.Type != typeObject {
		return nil, fmt.Errorf("the embedded message has the type %#x", r.Property.Type)
	}
	ref := make([]byte, 8)
	if _, err := r.ReadAt(ref, 0); err != nil {
		return nil, err
	}
	node := gopst.Identifier(ref[0]) | gopst.Identifier(ref[1])<<8 | gopst.Identifier(ref[2])<<16 | gopst.Identifier(ref[3])<<24
	sub, err := gopst.FindLocalDescriptor(node&identifierMask, a.LocalDescriptors)
	if err != nil {
		return nil, err
	}
	heap, err := file.GetHeapOnNodeFromLocalDescriptor(sub)
	if err != nil {
		return nil, err
	}
	below, err := file.GetLocalDescriptorsFromIdentifier(sub.LocalDescriptorsIdentifier)
	if err != nil {
		return nil, err
	}
	context, err := file.GetPropertyContext(heap)
	if err != nil {
		return nil, err
	}
	return message(&gopst.Message{File: file, PropertyContext: context, LocalDescriptors: below})
}

// values gives all properties as bytes, apart from those that are left out.
func values(c *gopst.PropertyContext, below []gopst.LocalDescriptor, without ...uint16) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, p := range c.Properties {
		if len(without) > 0 && p.ID == without[0] {
			continue
		}
		r, err := c.GetPropertyReader(p.ID, below)
		if eris.Is(err, gopst.ErrPropertyNoData) {
			continue
		}
		if err != nil {
			return nil, eris.Wrapf(err, "property %#x", p.ID)
		}
		if all[fmt.Sprintf("%04x%04x", p.ID, uint16(p.Type))], err = content(&r); err != nil {
			return nil, eris.Wrapf(err, "property %#x", p.ID)
		}
	}
	return all, nil
}

func content(r *gopst.PropertyReader) ([]byte, error) {
	if len(r.Property.Data) > 0 {
		return r.Property.Data, nil
	}
	data := make([]byte, r.Size())
	_, err := r.ReadAt(data, 0)
	if err == io.EOF {
		err = nil
	}
	return data, err
}

// table reads the recipient table.
func table(m *gopst.Message, node gopst.Identifier) ([]map[string][]byte, error) {
	sub, err := gopst.FindLocalDescriptor(node, m.LocalDescriptors)
	if eris.Is(err, gopst.ErrLocalDescriptorNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	heap, err := m.File.GetHeapOnNodeFromLocalDescriptor(sub)
	if err != nil {
		return nil, err
	}
	below, err := m.File.GetLocalDescriptorsFromIdentifier(sub.LocalDescriptorsIdentifier)
	if err != nil {
		return nil, err
	}
	context, err := m.File.GetTableContext(heap, below)
	if eris.Is(err, gopst.ErrTableContextNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows := make([]map[string][]byte, len(context.Properties))
	for i, row := range context.Properties {
		rows[i] = map[string][]byte{}
		for _, p := range row {
			r, err := context.GetPropertyReader(p, below...)
			if eris.Is(err, gopst.ErrPropertyNoData) {
				continue
			}
			if err != nil {
				return nil, eris.Wrapf(err, "column %#x", p.ID)
			}
			if rows[i][fmt.Sprintf("%04x%04x", p.ID, uint16(p.Type))], err = content(&r); err != nil {
				return nil, eris.Wrapf(err, "column %#x", p.ID)
			}
		}
	}
	return rows, nil
}
