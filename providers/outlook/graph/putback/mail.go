package putback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// Bounds of what a message is made of.
const (
	// mostPost is how many bytes a POST of ours has at most: Graph takes 4 MB.
	mostPost = 3_600_000
	// mostWithin is how many of them may be attachments in the creating POST, or a message
	// that is attached.
	mostWithin = 1_800_000
	mostHeader = 256 << 10 // bytes of the header block, as Exchange Online allows in a mail
)

// originalName is that of a mail that is attached to what stands for it.
const originalName = "original message.eml"

// letter is a mail as it is put back: what the creating POST says, and what follows it.
type letter struct {
	fields map[string]any
	within []any  // attachments in the POST, the first ones
	files  []file // all attachments, in order
	notes  []string
	// rest gives the attachments again, those in the POST too, with their contents.
	rest func(func(i int, content io.Reader) error) error
}

// file is an attachment: what Graph is told of it, and its size in bytes. item is that of
// an attached message.
type file struct {
	name, media, contentID string
	inline                 bool
	size                   int64
	item                   map[string]any
	skipped                bool
}

// count is how many attachments the message is to have.
func (l letter) count() (n int) {
	for _, f := range l.files {
		if !f.skipped {
			n++
		}
	}
	return n
}

// putMail makes a message. What Graph does not take as a message becomes one that has the
// mail attached as it came.
func (t target) putMail(ctx context.Context, item outlook.Item, content io.ReaderAt, size int64) (outlook.Restored, error) {
	l, err := compose(item, content, size)
	if err != nil {
		return outlook.Restored{}, err
	}
	done, err := t.send(ctx, l)
	var e *graph.Error
	if errors.As(err, &e) && e.Status == http.StatusBadRequest && !errors.Is(err, errPart) {
		why := fmt.Sprintf("Microsoft 365 does not take it as a message (%s)", e.Code)
		done, err = t.send(ctx, wrapped(item, nil, nil, why, content, size))
	}
	return done, err
}

// compose reads a mail.
func compose(item outlook.Item, content io.ReaderAt, size int64) (letter, error) {
	var l letter
	c := collector{take: func(f file, r io.Reader) error { return l.measure(f, r) }}
	result, err := mail.Import(&c, content, size, options(item))
	if err != nil {
		return l, fmt.Errorf("read the mail: %w", err)
	}
	l.notes = append(c.notes, l.notes...)
	if sent := item.Sent; !item.Draft && c.props.Time(pst.PidTagClientSubmitTime).IsZero() { // Exchange would take the present moment
		if sent.IsZero() {
			sent = item.At
		}
		c.props.Set(pst.PidTagClientSubmitTime, sent)
	}
	l.fields = message(c.props, c.recipients, item.Draft, &l.notes)
	text, err := json.Marshal(l.fields)
	switch {
	case err != nil:
		return l, fmt.Errorf("write the mail: %w", err)
	case result.Class != "IPM.Note":
		return wrapped(item, c.props, c.recipients, "it is signed or encrypted (S/MIME), which stays good only as it came", content, size), nil
	case len(text) > mostPost:
		return wrapped(item, c.props, c.recipients, "its text is larger than Microsoft 365 takes in one call", content, size), nil
	case len(text)+mostWithin > mostPost:
		l.within = nil
	}
	l.rest = func(each func(int, io.Reader) error) error {
		n := -1
		again := collector{take: func(_ file, r io.Reader) error { n++; return each(n, r) }}
		_, err := mail.Import(&again, content, size, options(item))
		return err
	}
	return l, nil
}

func options(item outlook.Item) mail.Options {
	o := mail.Options{Received: item.At, Read: item.Read, Draft: item.Draft, Categories: item.Categories}
	switch item.Flag {
	case "flagged":
		o.Flag = mail.Flagged
	case "complete":
		o.Flag = mail.FlagDone
	}
	return o
}

// measure learns the size of an attachment, and keeps it for the creating POST while there
// is room and nothing before it had to be left out.
func (l *letter) measure(f file, r io.Reader) error {
	room, used := 0, 0
	for _, a := range l.within {
		used += weight(a)
	}
	if len(l.within) == len(l.files) {
		room = max(0, mostWithin-used-2048)
	}
	if f.item != nil {
		if a := f.json(nil); weight(a) <= room {
			l.within = append(l.within, a)
		}
		l.files = append(l.files, f)
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(r, int64(room/4*3)+1))
	if err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, r)
	if err != nil {
		return err
	}
	f.size = int64(len(head)) + more
	if f.size > mostFile {
		f.skipped = true
		l.notes = append(l.notes, fmt.Sprintf("the attachment %q has %d MB, and Microsoft 365 takes 150 MB at most: it was left out", f.name, f.size/1_000_000))
	} else if room > 0 && more == 0 && len(head) <= room/4*3 {
		l.within = append(l.within, f.json(head))
	}
	l.files = append(l.files, f)
	return nil
}

// weight is about how many bytes of JSON an attachment is.
func weight(a any) int {
	m, _ := a.(map[string]any)
	if content, ok := m["contentBytes"].([]byte); ok {
		return len(content)/3*4 + 1024
	}
	text, err := json.Marshal(a)
	if err != nil {
		return mostWithin + 1 // it is none that fits
	}
	return len(text)
}

// json is what Graph is told of an attachment in a POST.
func (f file) json(content []byte) map[string]any {
	out := map[string]any{"name": f.name}
	if f.item != nil {
		out["@odata.type"], out["item"] = "#microsoft.graph.itemAttachment", f.item
		return out
	}
	if content == nil {
		content = []byte{}
	}
	out["@odata.type"], out["contentBytes"] = "#microsoft.graph.fileAttachment", content
	if f.media != "" {
		out["contentType"] = f.media
	}
	if f.contentID != "" {
		out["contentId"], out["isInline"] = f.contentID, f.inline
	}
	return out
}

// send makes the message, and gives it the attachments that the POST has not.
func (t target) send(ctx context.Context, l letter) (outlook.Restored, error) {
	mark := t.marked(whole)
	if len(l.within) < len(l.files) {
		mark = t.marked(strconv.Itoa(l.count()))
	}
	properties, _ := l.fields["singleValueExtendedProperties"].([]property)
	l.fields["singleValueExtendedProperties"] = append(properties, mark)
	if len(l.within) > 0 {
		l.fields["attachments"] = l.within
	}
	body, err := json.Marshal(l.fields)
	if err != nil {
		return outlook.Restored{}, fmt.Errorf("write the mail: %w", err)
	}
	id, err := t.create(ctx, body)
	if err != nil {
		return outlook.Restored{}, err
	}
	if len(l.within) == len(l.files) {
		return t.finish(id, l.notes), nil
	}
	there := len(l.within)
	err = l.rest(func(i int, content io.Reader) error {
		f := l.files[i]
		if i < len(l.within) || f.skipped {
			_, err := io.Copy(io.Discard, content)
			return err
		}
		if err := t.attach(ctx, id, f, content, there); err != nil {
			return err
		}
		there++
		return nil
	})
	if err != nil {
		return outlook.Restored{}, t.fail(ctx, id, fmt.Errorf("attach what belongs to the mail: %w", errors.Join(err, errPart)))
	}
	return t.finish(id, l.notes), nil
}

// errPart says that the message was made and something that follows it was refused.
var errPart = errors.New("a part was refused")

// wrapped is a message with the mail attached as it came. Without props it has nothing but
// what the archive's index says.
func wrapped(item outlook.Item, props pst.Properties, recipients []pst.Properties, why string, content io.ReaderAt, size int64) letter {
	f := file{name: originalName, media: "application/octet-stream", size: size}
	l := letter{notes: []string{why + ": it is attached as “" + originalName + "”"}}
	if props == nil {
		props.Set(pst.PidTagSubject, item.Subject)
		props.Set(pst.PidTagInternetMessageId, item.MessageID)
		for tag, at := range map[pst.Tag]int64{pst.PidTagMessageDeliveryTime: item.At.Unix(), pst.PidTagClientSubmitTime: item.Sent.Unix()} {
			if at > 0 {
				props.Set(tag, map[pst.Tag]any{pst.PidTagMessageDeliveryTime: item.At, pst.PidTagClientSubmitTime: item.Sent}[tag])
			}
		}
		if item.Read {
			props.Set(pst.PidTagMessageFlags, int32(pst.FlagRead))
		}
	}
	l.fields = message(props, recipients, item.Draft, new([]string))
	l.fields["body"] = map[string]string{"contentType": "text", "content": "This mail could not be put back as a message of its own: " + why + ".\r\nThe whole mail, as it came, is the attachment “" + originalName + "”.\r\n"}
	if size <= mostWithin/4*3-2048 {
		raw, err := io.ReadAll(io.NewSectionReader(content, 0, size))
		if err == nil {
			f.size = int64(len(raw))
			l.within = []any{f.json(raw)}
		}
	}
	l.files = []file{f}
	l.rest = func(each func(int, io.Reader) error) error { return each(0, io.NewSectionReader(content, 0, size)) }
	if size > mostFile {
		l.files[0].skipped = true
		l.notes = []string{why + ", and it is larger than the 150 MB that Microsoft 365 takes as an attachment: only its header was put back"}
	}
	return l
}

// collector is a pst.Sink that keeps what a mail says and passes on what is attached.
type collector struct {
	props      pst.Properties
	recipients []pst.Properties
	notes      []string
	depth      int
	take       func(f file, content io.Reader) error
}

var _ mail.Whole = (*collector)(nil)

// Set keeps properties.
func (c *collector) Set(all ...pst.Property) {
	for _, p := range all {
		var k pst.Key = p.Tag
		if p.IsNamed() {
			k = p.Named
		}
		c.props.Set(k, p.Value)
	}
}

// Recipient keeps a recipient.
func (c *collector) Recipient(p pst.Properties) { c.recipients = append(c.recipients, p) }

// Attach passes a file on.
func (c *collector) Attach(p pst.Properties, content io.Reader) error {
	f := file{name: p.Text(pst.PidTagAttachLongFilename), media: p.Text(pst.PidTagAttachMimeTag), contentID: p.Text(pst.PidTagAttachContentId)}
	f.inline = f.contentID != "" && p.Int(pst.PidTagAttachFlags)&pst.AttachShownInline != 0
	if f.name == "" {
		f.name = "attachment"
	}
	if content == nil {
		content = bytes.NewReader(nil)
	}
	return c.take(f, content)
}

// Embed is not called, because of EmbedMail.
func (c *collector) Embed(pst.Properties, func(pst.Sink) error) error {
	return errors.New("a message within a mail has no bytes")
}

// deepest is how many messages within one another become items; the mails below are files.
const deepest = 3

// EmbedMail passes on a message within the mail: as an item of Outlook where that says all
// of it, else as the file that it is.
func (c *collector) EmbedMail(p pst.Properties, m *io.SectionReader) error {
	name := p.Text(pst.PidTagDisplayName)
	if name == "" {
		name = "message"
	}
	if m.Size() <= mostWithin/2 && c.depth < deepest {
		item, err := attached(m, c.depth+1)
		if err != nil {
			return err
		}
		if f := (file{name: name, item: item}); item != nil && weight(f.json(nil)) <= mostWithin {
			return c.take(f, bytes.NewReader(nil))
		}
	}
	c.notes = append(c.notes, fmt.Sprintf("the message %q within it is attached as a file", name))
	return c.take(file{name: name + ".eml", media: "application/octet-stream"}, io.NewSectionReader(m, 0, m.Size()))
}

// attached makes the item of a message within a mail, or nil where that would lose
// something of it.
func attached(m *io.SectionReader, depth int) (map[string]any, error) {
	files := []any{}
	c := collector{depth: depth}
	c.take = func(f file, r io.Reader) error {
		content, err := io.ReadAll(r)
		files = append(files, f.json(content))
		return err
	}
	result, err := mail.Import(&c, m, m.Size(), mail.Options{Read: true})
	if err != nil || result.Raw || result.Class != "IPM.Note" {
		return nil, err
	}
	item := message(c.props, c.recipients, false, &c.notes)
	item["@odata.type"] = "#microsoft.graph.message"
	if len(files) > 0 {
		item["attachments"] = files
	}
	return item, nil
}
