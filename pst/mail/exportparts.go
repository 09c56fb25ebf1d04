package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"keepwatch/pst"
)

// mixed writes the fields and the body of a message of any kind but S/MIME:
// multipart/mixed around multipart/related around multipart/alternative, each only
// where it is needed.
func (x *exporter) mixed(d *document) error {
	var others []file
	for _, f := range d.files {
		if !f.inline {
			others = append(others, f)
		}
	}
	// A body in RTF is an attachment, as it can be shown nowhere else.
	if len(others) == 0 && len(d.rtf) == 0 {
		return x.related(d)
	}
	b := x.open("multipart/mixed", "")
	if d.hasText || len(d.html) > 0 {
		x.next(b)
		if err := x.related(d); err != nil {
			return err
		}
	}
	if len(d.rtf) > 0 {
		x.next(b)
		x.field("Content-Type", param("application/rtf", "name", "body.rtf"))
		x.field("Content-Disposition", param("attachment", "filename", "body.rtf"))
		x.base64(strings.NewReader(string(d.rtf)))
	}
	for _, f := range others {
		x.next(b)
		if err := x.file(f); err != nil {
			return err
		}
	}
	x.close(b)
	return nil
}

// related writes the bodies with what the HTML shows.
func (x *exporter) related(d *document) error {
	inline := 0
	for _, f := range d.files {
		if f.inline {
			inline++
		}
	}
	if inline == 0 {
		x.alternative(d)
		return nil
	}
	typ := "text/html"
	if d.hasText {
		typ = "multipart/alternative"
	}
	b := x.open("multipart/related", typ)
	x.next(b)
	x.alternative(d)
	for _, f := range d.files {
		if f.inline {
			x.next(b)
			if err := x.file(f); err != nil {
				return err
			}
		}
	}
	x.close(b)
	return nil
}

func (x *exporter) alternative(d *document) {
	switch {
	case len(d.html) > 0 && d.hasText:
		b := x.open("multipart/alternative", "")
		x.next(b)
		x.text(d.text)
		x.next(b)
		x.html(d.html, d.page)
		x.close(b)
	case len(d.html) > 0:
		x.html(d.html, d.page)
	default:
		x.text(d.text)
	}
}

// open writes the fields of a multipart and gives its boundary.
func (x *exporter) open(media, typ string) string {
	b := boundary()
	v := media + ";\r\n\tboundary=\"" + b + "\""
	if typ != "" {
		v += ";\r\n\ttype=\"" + typ + "\""
	}
	x.line("Content-Type: " + v)
	x.line("")
	return b
}

func (x *exporter) next(b string)  { x.line("\r\n--" + b) }
func (x *exporter) close(b string) { x.line("\r\n--" + b + "--") }

// file writes an attachment.
func (x *exporter) file(f file) error {
	if f.message != nil {
		return x.embedded(f)
	}
	name := fileName(f.props)
	content, _, err := f.attachment.Open()
	if errors.Is(err, pst.ErrNoContent) {
		return x.link(f, name)
	}
	if err != nil {
		return fmt.Errorf("read the attachment %q: %w", name, err)
	}
	media := mediaType(f.props.Text(pst.PidTagAttachMimeTag))
	x.field("Content-Type", param(media, "name", name))
	x.place(f, name)
	if strings.HasPrefix(media, "message/") { // must not be encoded, RFC 2046 5.2 and RFC 3464 2.1
		head, err := io.ReadAll(io.LimitReader(content, maxLine))
		if err != nil {
			return fmt.Errorf("read the attachment %q: %w", name, err)
		}
		if len(head) < maxLine && bodyEncoding(head) == "7bit" {
			x.line("")
			x.w.Write(head)
			return nil
		}
		content = io.MultiReader(bytes.NewReader(head), content)
	}
	if err := x.base64(content); err != nil {
		return fmt.Errorf("read the attachment %q: %w", name, err)
	}
	return nil
}

// place writes the fields that say where an attachment belongs.
func (x *exporter) place(f file, name string) {
	disposition := "attachment"
	if f.inline {
		disposition = "inline"
	}
	x.field("Content-Disposition", param(disposition, "filename", name))
	if id := clean(f.props.Text(pst.PidTagAttachContentId)); id != "" {
		x.field("Content-ID", "<"+strings.Map(noAngles, id)+">")
	}
	if l := clean(f.props.Text(pst.PidTagAttachContentLocation)); l != "" {
		x.field("Content-Location", l)
	}
}

// link writes an attachment that is only the address of a file.
func (x *exporter) link(f file, name string) error {
	to := f.props.Text(pst.PidTagAttachLongPathname)
	if to == "" {
		to = f.props.Text(pst.PidTagAttachPathname)
	}
	x.field("Content-Type", param("text/plain", "name", name+".txt"))
	x.place(f, name+".txt")
	return x.base64(strings.NewReader(clean(to) + "\r\n"))
}

// embedded writes a message in a message. It has no encoding (RFC 2046 5.2.1), as all
// that is written here is ASCII.
func (x *exporter) embedded(f file) error {
	name := f.props.Text(pst.PidTagAttachLongFilename)
	if name != "" {
		x.field("Content-Type", param("message/rfc822", "name", clean(name)))
		x.place(f, clean(name))
	} else {
		x.field("Content-Type", "message/rfc822")
		x.field("Content-Disposition", "attachment")
		if id := clean(f.props.Text(pst.PidTagAttachContentId)); id != "" {
			x.field("Content-ID", "<"+strings.Map(noAngles, id)+">")
		}
	}
	x.line("")
	inner := exporter{w: x.w, depth: x.depth + 1}
	if err := inner.message(f.message); err != nil {
		return fmt.Errorf("write the embedded message %q: %w", f.props.Text(pst.PidTagDisplayName), err)
	}
	return nil
}

// verbatim writes a clear-signed mail, whose attachment has its Content-Type.
func (x *exporter) verbatim(f file) error {
	r, _, err := f.attachment.Open()
	if err == nil {
		_, err = io.Copy(&crlfWriter{w: x.w}, r)
	}
	if err != nil {
		return fmt.Errorf("read the signed mail: %w", err)
	}
	return nil
}

// opaque writes an encrypted or opaque-signed mail, [MS-OXOSMIME] 2.1.3.2.2.
func (x *exporter) opaque(d *document) error {
	f := d.files[0]
	r, _, err := f.attachment.Open()
	if err != nil {
		return fmt.Errorf("read the encrypted mail: %w", err)
	}
	name := fileName(f.props)
	typ := clean(d.props.Text(pst.PidNameContentType))
	if media, _ := parseParams(typ); !strings.HasSuffix(media, "pkcs7-mime") && media != "application/octet-stream" || !ascii([]byte(typ)) || len(typ) > 900 {
		typ = param("application/pkcs7-mime", "name", name)
	}
	x.field("Content-Type", typ)
	x.field("Content-Disposition", param("attachment", "filename", name))
	if err := x.base64(r); err != nil {
		return fmt.Errorf("read the encrypted mail: %w", err)
	}
	return nil
}

// fileName is the best name of an attachment.
func fileName(p pst.Properties) string {
	for _, t := range []pst.Tag{pst.PidTagAttachLongFilename, pst.PidTagAttachFilename, pst.PidTagDisplayName} {
		if n := clean(p.Text(t)); n != "" {
			return clip(n, maxParam)
		}
	}
	for _, t := range []pst.Tag{pst.PidTagAttachLongPathname, pst.PidTagAttachPathname} {
		if n := clean(path.Base(strings.ReplaceAll(p.Text(t), `\`, "/"))); n != "" && n != "." && n != "/" {
			return clip(n, maxParam)
		}
	}
	return "attachment.dat"
}

// mediaType is what a part by value may be called: a token, a slash, a token, and
// nothing that needs to be parsed again.
func mediaType(s string) string {
	top, sub, ok := strings.Cut(strings.ToLower(s), "/")
	if !ok || !isToken(top) || !isToken(sub) || top == "multipart" || s == "message/rfc822" || s == "message/global" || len(s) > 200 {
		return "application/octet-stream"
	}
	return top + "/" + sub
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?=`, r) }) < 0
}
