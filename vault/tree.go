package vault

import (
	"archive/tar"
	"errors"
	"io"
)

// toEntry goes on in the tree to the entry that the list of contents has next.
// Where the two are out of step (which damage cannot bring about, but whoever
// made the archive can), what only one of them has is named and passed over.
func (w *walker) toEntry(e listed) bool {
	if w.tar == nil && !w.treeLost {
		w.openTree(e.In)
	}
	if w.treeLost && w.resumeAt == w.items {
		w.treeLost = false // w.header is the header of this entry
	}
	if w.treeLost {
		return false
	}
	if e.In != w.treeName {
		w.problem(finding("damaged", contentsName, "%s says that %q lies in %q, which is not the tree.", contentsName, e.Path, e.In))
		return false
	}
	for w.ctx.Err() == nil {
		h, err := w.nextHeader()
		if errors.Is(err, io.EOF) {
			w.problem(finding("content", e.Path, "%q is in the list of contents and not in %s.", e.Path, w.treeName))
			return false
		}
		if err != nil {
			w.loseTree(e.Path, err, w.items) // it may lie behind the damage itself
			if w.treeLost = w.resumeAt != w.items; w.treeLost {
				return false
			}
			continue
		}
		want := header(e.Entry)
		if h.Name == want.Name {
			w.checkPlace(e)
			what := differs(h, want)
			if what != "" {
				w.problem(finding("content", e.Path, "In %s the %s of %q is not what the list of contents says.", w.treeName, what, e.Path))
			}
			return what == ""
		}
		if w.comesNext(h.Name) {
			w.header = h
			w.problem(finding("content", e.Path, "%q is in the list of contents and not in %s.", e.Path, w.treeName))
			return false
		}
		w.stranger(h)
	}
	return false
}

// checkPlace tells where the place of an entry that was just met is not the one
// that the list of contents says.
func (w *walker) checkPlace(e listed) {
	if w.check && e.at != nowhere && e.at != w.begun {
		w.problem(finding("damaged", contentsName, "%s says that %q begins at byte %d of the tar in %s, and it begins at byte %d.", contentsName, e.Path, e.at, w.treeName, w.begun))
	}
}

// checkTable tells where the seek table of a file that was read to its end is not what
// its frames are. whole is as for frameWatch.wrong.
func (w *walker) checkTable(watch *frameWatch, name string, whole int64) {
	if watch == nil {
		return
	}
	if wrong := watch.wrong(whole); wrong != "" {
		w.problem(finding("damaged", name, "%s is damaged: %s.", name, wrong))
	}
}

// loseTree tells that the tree cannot be read on, and looks for the place behind
// the damage where it can, if that is wanted: for an entry of the number next, or one
// behind it.
func (w *walker) loseTree(at string, err error, next int64) {
	w.damaged(w.tree, w.treeName, at, err)
	w.treeLost, w.resumeAt, w.seek = true, 0, false
	if w.mend {
		w.salvage(next)
	}
}

func (w *walker) stranger(h *tar.Header) {
	w.problem(finding("stranger", h.Name, "%s holds %q, which is not in the list of contents.", w.treeName, h.Name))
}

func (w *walker) openTree(name string) {
	if w.check {
		w.watch = newFrameWatch()
	}
	o, err := w.open(name, true, w.watch)
	if err != nil || o == nil {
		if err != nil {
			w.problem(finding("damaged", name, "%s cannot be opened: %v.", name, err))
		}
		w.treeName, w.treeLost, w.seek = name, true, false
		return
	}
	w.tree, w.treeName, w.plain = o, name, &counting{r: o}
	w.tar = tar.NewReader(w.plain)
}

// nextHeader gives the next header of the tree.
func (w *walker) nextHeader() (*tar.Header, error) {
	if h := w.header; h != nil {
		w.header = nil
		return h, nil
	}
	w.tick()
	if w.check { // the content of a stranger is not read yet
		if _, err := io.Copy(io.Discard, w.tar); err != nil {
			return nil, err
		}
	}
	w.begun = (w.plain.n + tarBlock - 1) / tarBlock * tarBlock
	h, err := w.tar.Next()
	if errors.Is(err, tar.ErrInsecurePath) && h != nil {
		err = nil // it is compared with the list of contents, which has no such path
	}
	return h, err
}

// comesNext reports whether the list of contents goes on with a name. What nobody
// wants is not passed over then: it lies in the tree all the same.
func (w *walker) comesNext(name string) bool {
	if w.ahead == nil {
		w.list.pass = nil
		e, err := w.list.next()
		w.list.pass = w.passesPath
		w.ahead = &aheadEntry{e, err}
	}
	return w.ahead.err == nil && w.ahead.form == formTree && header(w.ahead.Entry).Name == name
}

// differs names the first way in which a tar header is not the one that it
// should be, and gives "" where there is none.
func differs(h, want *tar.Header) string {
	switch {
	case h.Typeflag != want.Typeflag:
		return "type"
	case h.Size != want.Size:
		return "size"
	case h.Linkname != want.Linkname:
		return "target"
	case h.Mode != want.Mode:
		return "mode"
	case !h.ModTime.Equal(want.ModTime):
		return "time"
	case h.Uid != want.Uid || h.Gid != want.Gid:
		return "owner"
	}
	return ""
}

// endTree sees that the tree ends where the list does, and hashes it to its end.
func (w *walker) endTree() {
	if w.tree == nil || w.tree.raw == nil || w.passed {
		return // nobody wanted all of it
	}
	for !w.treeLost && !w.blind && w.ctx.Err() == nil {
		h, err := w.nextHeader()
		if err == nil {
			w.stranger(h)
			continue
		}
		zeros := true
		if w.behind != nil {
			break // what is behind the damage was salvaged; the hash tells the rest
		}
		if errors.Is(err, io.EOF) {
			zeros, _, err = w.tree.rest()
		}
		if err != nil {
			w.damaged(w.tree, w.treeName, "", err)
		} else if !zeros {
			w.problem(finding("damaged", w.treeName, "%s holds something behind its end.", w.treeName))
		}
		if err == nil {
			w.checkTable(w.watch, w.treeName, -1) // a tar is whole blocks, which frames say of themselves
		}
		break
	}
	w.finish(w.tree, w.treeName)
	w.closeTree()
}

func (w *walker) closeTree() {
	if w.behind != nil {
		w.behind.close()
		w.behind = nil
	}
	if w.tree != nil {
		_ = w.tree.Close()
		w.tree = nil
	}
}
