package mail

import "strings"

// maxBodies is how many bytes of bodies are in memory at once: of a mail, and of those that
// it lies in. A plain text counts twice, because it becomes UTF-16. What is too long becomes
// an attachment, which is streamed. Each mail has leastBodies.
const (
	maxBodies   = 12 << 20
	leastBodies = 256 << 10
)

// plan says which parts of a mail are its bodies, and which are attachments.
type plan struct {
	class  string
	text   *part
	html   *part
	alt    *part   // the multipart/alternative of which text and html are
	files  []*part // in their order
	entity *part   // of a clear-signed mail: its one attachment, as it came
	signed bool    // something else in it is signed
	room   int64   // for its bodies
	long   bool    // a body did not fit
}

// The classes of a mail. The two of S/MIME are of [MS-OXOSMIME] 2.1.3.
const (
	classNote   = "IPM.Note"
	classOpaque = "IPM.Note.SMIME"
	classSigned = "IPM.Note.SMIME.MultipartSigned"
)

// choose has a mail whose bodies may take room bytes.
func choose(root *part, room int64) *plan {
	pl := &plan{class: classNote, room: max(room, leastBodies)}
	switch {
	case pkcs7(root):
		pl.class, pl.files = classOpaque, []*part{root}
	case root.media == "multipart/signed" && len(root.kids) == 2 && strings.HasSuffix(root.protocol, "pkcs7-signature"):
		pl.class = classSigned
		pl.walk(root.kids[0], nil, true)
		pl.files, pl.entity = nil, root
	default:
		pl.walk(root, nil, true)
	}
	return pl
}

// pkcs7 tells whether a part is an encrypted or an opaque-signed mail,
// [MS-OXOSMIME] 2.1.3.2. One that only brings certificates is not.
func pkcs7(p *part) bool {
	switch p.media {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return p.smime != "certs-only"
	case "application/octet-stream":
		return strings.HasSuffix(strings.ToLower(p.name), ".p7m")
	}
	return false
}

// walk goes through the parts. alt is the outermost multipart/alternative around p.
func (pl *plan) walk(p, alt *part, root bool) {
	if !p.multipart() {
		pl.leaf(p, alt, root)
		return
	}
	kids := p.kids
	switch p.media {
	case "multipart/alternative":
		if alt == nil {
			alt = p
		}
	case "multipart/related":
		// The one that is shown comes first, wherever it lies (RFC 2387 3.2).
		for i, k := range kids {
			if p.root != "" && k.id == p.root {
				kids = append([]*part{k}, append(kids[:i:i], kids[i+1:]...)...)
			}
		}
	case "multipart/signed":
		pl.signed = true
	}
	for _, k := range kids {
		pl.walk(k, alt, false)
	}
}

func (pl *plan) leaf(p, alt *part, root bool) {
	if p.top() == "multipart" { // one without its boundary
		if p.end == p.body {
			return
		}
		p.media = "text/plain"
	}
	if slot := pl.slot(p, alt, root); slot != nil {
		if n := p.held(); n <= pl.room {
			*slot, pl.alt, pl.room = p, alt, pl.room-n
			return
		}
		pl.long = true
	}
	if p.end == p.body && p.name == "" && (p.top() == "text" || root) {
		return // nothing, as some mailers put it before a file
	}
	pl.files = append(pl.files, p)
}

// slot is where a part belongs that is a body, and nil for any other. The first
// text that is no file is the body, and with it the other form of the same text.
func (pl *plan) slot(p, alt *part, root bool) **part {
	if p.disposition != "" && p.disposition != "inline" {
		return nil
	}
	if p.name != "" && !root && (alt == nil || p.disposition != "") {
		return nil
	}
	taken := pl.text != nil || pl.html != nil
	if taken && (alt == nil || alt != pl.alt) {
		return nil
	}
	switch {
	case p.media == "text/html" && pl.html == nil:
		return &pl.html
	case p.media == "text/plain" && pl.text == nil, root && p.top() == "text" && !fileText[p.media] && p.media != "text/html":
		return &pl.text
	}
	return nil
}

// held is how much a body takes.
func (p *part) held() int64 {
	n := p.end - p.body
	if p.encoding == "base64" {
		n -= n / 4
	}
	if p.media != "text/html" {
		n *= 2
	}
	return n
}

// fileText are kinds of text that are for programs, so that they are files even where
// they are all that a mail has.
var fileText = map[string]bool{"text/calendar": true, "text/vcard": true, "text/x-vcard": true, "text/directory": true, "text/csv": true,
	"text/xml": true, "text/rtf": true, "text/richtext": true, "text/rfc822-headers": true}

// extensions are the ends of names for parts that have none.
var extensions = map[string]string{"text/plain": ".txt", "text/html": ".htm", "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/csv": ".csv",
	"text/rfc822-headers": ".txt", "message/delivery-status": ".txt", "message/disposition-notification": ".txt", "message/rfc822": ".eml", "message/global": ".eml",
	"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/bmp": ".bmp", "image/tiff": ".tif", "image/svg+xml": ".svg", "image/webp": ".webp",
	"application/pdf": ".pdf", "application/zip": ".zip", "application/rtf": ".rtf", "text/rtf": ".rtf", "application/json": ".json", "application/xml": ".xml",
	"text/xml": ".xml", "application/ics": ".ics", "audio/mpeg": ".mp3", "audio/wav": ".wav", "video/mp4": ".mp4", "application/pgp-signature": ".asc",
	"application/pgp-encrypted": ".txt", "application/pgp-keys": ".asc", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
	"application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m", "application/ms-tnef": ".dat"}

// fixedNames are names that everybody expects.
var fixedNames = map[string]string{"application/ms-tnef": "winmail.dat", "application/pkcs7-mime": "smime.p7m", "application/x-pkcs7-mime": "smime.p7m",
	"application/pkcs7-signature": "smime.p7s", "application/x-pkcs7-signature": "smime.p7s", "application/pgp-signature": "signature.asc"}
