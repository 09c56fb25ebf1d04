package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"keepwatch"
)

// keys are what a vault seals to and opens with.
type keys struct {
	recipients     []age.Recipient
	recipientNames []string
	identities     []age.Identity
	own            []string // the public halves of the identities
	file           string
}

// loadKeys reads the identity file, where there is one, and the recipients:
// those given, or else those of the identities.
func loadKeys(recipients []string, file string) (keys, error) {
	k := keys{file: file}
	if file != "" {
		ids, own, err := readIdentities(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return k, err
		}
		k.identities, k.own = ids, own
		if len(recipients) == 0 {
			recipients = own
		}
	}
	if len(recipients) == 0 {
		return k, keepwatch.Errorf(keepwatch.KindAttention, "There is no key to seal to: no recipients are configured and the key file %s is missing.", file)
	}
	var err error
	k.recipients, k.recipientNames, err = parseRecipients(recipients)
	return k, err
}

// parseRecipients reads age public keys. age cannot seal to a post-quantum key
// and an ordinary one at once: the ordinary one would undo what the other is for.
func parseRecipients(texts []string) (parsed []age.Recipient, names []string, err error) {
	var hybrid, plain int
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if slices.Contains(names, text) {
			continue
		}
		var r age.Recipient
		switch {
		case strings.HasPrefix(text, "age1pq1"):
			r, err = age.ParseHybridRecipient(text)
			hybrid++
		case strings.HasPrefix(text, "age1"):
			r, err = age.ParseX25519Recipient(text)
			plain++
		case strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-"):
			return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "One of the vault's recipients is a secret key. Put its public half there (`age-keygen -y` shows it), and treat the secret one as seen by others.")
		default:
			err = errors.New("it does not begin with age1")
		}
		if err != nil {
			return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "The vault's recipient %s is no age public key: %v.", shorten(text), err).Because(err)
		}
		parsed, names = append(parsed, r), append(names, text)
	}
	if hybrid > 0 && plain > 0 {
		return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "The vault's recipients mix post-quantum keys (age1pq1…) with ordinary ones (age1…). age refuses to seal to both: use one sort only.")
	}
	return parsed, names, nil
}

// shorten makes a key fit into a sentence: a post-quantum one has 1,959
// characters.
func shorten(key string) string {
	if len(key) <= 80 {
		return key
	}
	return key[:24] + "…" + key[len(key)-8:]
}

// readIdentities reads a file as age-keygen writes it, comments and several
// keys included, and gives the public halves too. A file that others on the
// machine may read is refused, as ssh does: it opens every archive.
func readIdentities(file string) (ids []age.Identity, own []string, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, trouble("The key file "+file+" cannot be read", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && tooOpen(info.Mode()) {
		return nil, nil, keepwatch.Errorf(keepwatch.KindAttention, "Others on this machine can read the key file %s, which opens every archive. Run: chmod 600 %s", file, file)
	}
	ids, err = age.ParseIdentities(f)
	if err != nil {
		return nil, nil, keepwatch.Errorf(keepwatch.KindAttention, "The key file %s does not hold an age secret key (a line that begins with AGE-SECRET-KEY-), or holds one that is cut off. Put the right file in its place.", file).Because(err)
	}
	for _, id := range ids {
		switch id := id.(type) {
		case *age.X25519Identity:
			own = append(own, id.Recipient().String())
		case *age.HybridIdentity:
			own = append(own, id.Recipient().String())
		}
	}
	return ids, own, nil
}

// PublicKeys gives the public halves of the keys in a key file, as it is now; a
// file that is not there is fs.ErrNotExist.
func PublicKeys(file string) ([]string, error) {
	_, own, err := readIdentities(file)
	return own, err
}

// NewIdentity makes an age X25519 key, writes it to file (mode 0600, synced) and
// gives its public half. A file that exists is never touched.
func NewIdentity(file string) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	text := fmt.Sprintf("# The key of this Keepwatch. It opens every archive: keep a copy elsewhere.\n# public key: %s\n%s\n", id.Recipient(), id)
	temp, err := os.CreateTemp(filepath.Dir(file), ".age-identity-*")
	if err != nil {
		return "", trouble("The key file "+file+" cannot be made", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", trouble("The key file "+file+" cannot be written", err)
	}
	if err := os.Link(temp.Name(), file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return "", keepwatch.Errorf(keepwatch.KindConflict, "The key file %s exists already and is left as it is. Move it away first.", file)
		}
		if err := writeNew(file, text); err != nil { // a file system without links
			return "", trouble("The key file "+file+" cannot be made", err)
		}
	}
	return id.Recipient().String(), syncDir(filepath.Dir(file))
}

// writeNew writes a file that must not exist.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// holds reports whether a key of ours opens what was sealed to recipients.
func (k keys) holds(recipients []string) bool {
	return slices.ContainsFunc(recipients, func(r string) bool { return slices.Contains(k.own, r) })
}

// opening gives the keys to try on an archive that was sealed to recipients.
// There are none where the vault is set up to seal to keys that are kept
// elsewhere: its archives can then be hashed and not opened.
func (k keys) opening(recipients []string) []age.Identity {
	elsewhere := len(recipients) > 0 && !k.holds(recipients) && !k.holds(k.recipientNames) &&
		!slices.ContainsFunc(recipients, func(r string) bool { return !slices.Contains(k.recipientNames, r) })
	if elsewhere {
		return nil
	}
	return k.identities
}

// wrongKey makes a sentence of age's "no identity matched", and nil of any
// other error.
func (k keys) wrongKey(recipients []string, err error) error {
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); !ok && !errors.Is(err, age.ErrIncorrectIdentity) {
		return nil
	}
	names := make([]string, len(recipients))
	for i, r := range recipients {
		names[i] = shorten(r)
	}
	to := strings.Join(names, ", ")
	if to == "" {
		to = "another key (its manifest, which says which, cannot be read)"
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The key in %s does not open this archive. It was sealed to %s: use the key file that belongs to it.", k.file, to).Because(err)
}

func noKey() error {
	return keepwatch.Errorf(keepwatch.KindAttention, "The bot holds no key that opens this archive: it was sealed to keys that are kept elsewhere. Use `bot open` with the key where it is kept.")
}
