package writer

import (
	"errors"
	"fmt"
	"io"
	"math"

	"keepwatch/pst"
)

// attachContent adds an attachment by value.
func (m *message) attachContent(p pst.Properties, content io.Reader) error {
	return m.attachment(p, pst.AttachByValue, func() error {
		if content == nil {
			return nil
		}
		return m.content(content)
	}, content != nil)
}

// embed adds a message as an attachment.
func (m *message) embed(p pst.Properties, fill func(pst.Sink) error) error {
	return m.attachment(p, pst.AttachEmbedded, func() error {
		if m.depth == maxDepth {
			return fmt.Errorf("messages are embedded in one another more than %d deep", maxDepth)
		}
		e := m.w.sink(m.depth + 1)
		if err := e.run(fill); err != nil {
			return err
		}
		data, sub, err := e.finish()
		if err != nil {
			return err
		}
		// The id need only differ within the attachment, but libpff takes an embedded
		// message for the one of a folder that has the same id, and never comes to an end.
		nid := m.file.messageNode()
		m.attachParts.add(nid, data, sub)
		// Outlook gives the object the size that the message has.
		size := e.bag.find(pst.PidTagMessageSize.ID()).num
		m.attach.put(value{id: pst.PidTagAttachDataObject.ID(), typ: pst.Object, nid: nid, n: uint32(size)})
		return nil
	}, true)
}

// attachment writes an attachment, of which inside writes the content.
func (m *message) attachment(p pst.Properties, method uint64, inside func() error, filled bool) error {
	m.awake = false // until the content is there
	defer func() { m.awake = true }()
	a := &m.attach
	a.reset()
	m.attachParts.begin(m.file.v)
	for i := range p {
		if method == pst.AttachEmbedded && p[i].Is(pst.PidTagAttachDataObject) {
			continue // that of another file
		}
		if err := m.file.set(a, &p[i]); err != nil {
			return m.fail(err)
		}
	}
	if err := inside(); err != nil {
		return m.fail(err)
	}
	if !filled {
		method = pst.AttachNone
	}
	// What says that it is an embedded message is one, and the other way round: Outlook
	// takes the content for what the method says.
	given := a.find(pst.PidTagAttachMethod.ID())
	if given == nil || (given.num == pst.AttachEmbedded) != (method == pst.AttachEmbedded) {
		a.number(pst.PidTagAttachMethod, method)
	}
	if !a.has(pst.PidTagRenderingPosition) {
		a.number(pst.PidTagRenderingPosition, math.MaxUint32)
	}
	if name := p.Text(pst.PidTagAttachLongFilename); name != "" && !a.has(pst.PidTagAttachFilename) {
		a.text(pst.PidTagAttachFilename, name)
	}
	// The size is the sum of all values, this one included, as in real files.
	a.number(pst.PidTagAttachSize, 0)
	size := a.total()
	a.number(pst.PidTagAttachSize, uint64(min(size, math.MaxInt32)))
	m.size += size
	data, sub, err := m.attachParts.object(&m.w.heap, a)
	if err != nil {
		return m.fail(err)
	}
	nid := m.parts.next(pst.NodeAttachment)
	m.parts.add(nid, data, sub)
	lay := m.w.lay.attachmentsMore
	m.attachs.add(uint32(nid), a, func(v *value) bool { return lay.has(v.tag()) })
	return nil
}

// content copies the content of an attachment into the file: a short one into the
// heap, any other into a subnode, a few blocks at a time.
func (m *message) content(r io.Reader) error {
	m.attach.remove(pst.PidTagAttachDataBinary)
	n, err := readFull(r, m.w.buf)
	if err != nil {
		return err
	}
	if n <= maxAlloc {
		m.attach.data(pst.PidTagAttachDataBinary, m.w.buf[:n])
		return nil
	}
	w := dataWriter{v: m.file.v}
	for n > 0 {
		if err := w.all(m.w.buf[:n]); err != nil {
			return err
		}
		if w.size > math.MaxInt32 {
			return errors.New("an attachment has more than 2 GB, which is the most that an Outlook data file can hold")
		}
		if m.file.size() > m.w.opts.VolumeSize {
			return errVolumeFull
		}
		if n < len(m.w.buf) {
			break
		}
		if n, err = readFull(r, m.w.buf); err != nil {
			return err
		}
	}
	bid, size, err := w.finish()
	if err != nil {
		return err
	}
	nid := m.attachParts.next(pst.NodeLTP)
	m.attachParts.add(nid, bid, 0)
	m.attach.put(value{id: pst.PidTagAttachDataBinary.ID(), typ: pst.Binary, nid: nid, bid: bid, n: uint32(size)})
	return nil
}

// maxIdle is how often content may give nothing and no error.
const maxIdle = 100

// readFull fills buf as far as the content goes. Unlike io.ReadFull it does not take
// the io.ErrUnexpectedEOF of a reader whose own source was cut off for the end.
func readFull(r io.Reader, buf []byte) (int, error) {
	n := 0
	for idle := 0; n < len(buf); idle++ {
		got, err := r.Read(buf[n:])
		if n += got; got > 0 {
			idle = 0
		}
		if err == nil && idle == maxIdle {
			err = io.ErrNoProgress
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("read the content of an attachment: %w", err)
		}
	}
	return n, nil
}
