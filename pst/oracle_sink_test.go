package pst_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"keepwatch/pst"
)

// keptItem is a Sink that keeps what it is given, beside the writer: what an import
// made of a mail or of a card is what each reader ought to find in the file.
type keptItem struct {
	Properties  pst.Properties
	Recipients  []pst.Properties
	Attachments []keptAttachment
}

type keptAttachment struct {
	Properties pst.Properties
	Size       int64
	SHA256     string
	Item       *keptItem
}

func (k *keptItem) Set(all ...pst.Property) {
	for _, p := range all {
		if p.IsNamed() {
			k.Properties.Set(p.Named, p.Value)
		} else {
			k.Properties.Set(p.Tag, p.Value)
		}
	}
}

func (k *keptItem) Recipient(p pst.Properties) { k.Recipients = append(k.Recipients, p) }

func (k *keptItem) Attach(p pst.Properties, content io.Reader) error {
	a := keptAttachment{Properties: p}
	sum := sha256.New()
	if content != nil {
		var err error
		if a.Size, err = io.Copy(sum, content); err != nil {
			return err
		}
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	k.Attachments = append(k.Attachments, a)
	return nil
}

func (k *keptItem) Embed(p pst.Properties, fill func(pst.Sink) error) error {
	inner := &keptItem{}
	if err := fill(inner); err != nil {
		return err
	}
	k.Attachments = append(k.Attachments, keptAttachment{Properties: p, Item: inner})
	return nil
}

// listed is what was kept in the common words.
func (k *keptItem) listed() seen {
	it := commonWords(k.Properties)
	for _, r := range k.Recipients {
		it.Recipients = append(it.Recipients, commonRecipient(r))
	}
	for _, a := range k.Attachments {
		got := seenAttachment{Name: a.Properties.Text(pst.PidTagAttachLongFilename), CID: a.Properties.Text(pst.PidTagAttachContentId), Size: a.Size, SHA256: a.SHA256}
		if a.Item != nil {
			inner := a.Item.listed()
			got.Item, got.SHA256 = &inner, ""
		}
		it.Attachments = append(it.Attachments, got)
	}
	return *it
}

// keeping fills the writer, and beside it what keeps the same.
func keeping(fill func(pst.Sink) error, keep **keptItem) func(pst.Sink) error {
	return func(s pst.Sink) error {
		*keep = &keptItem{}
		if err := fill(*keep); err != nil {
			return err
		}
		return fill(s)
	}
}
