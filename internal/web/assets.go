package web

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
)

// What npm has built (see ui/README.md): index.html and its parts. Where nobody has
// run it there is only a note, and the plain page is served.
//
//go:embed dist
var built embed.FS

//go:embed plain
var plain embed.FS

// page is the built page, else the plain one.
func (o Options) page() fs.FS {
	if o.Files != nil {
		return o.Files
	}
	from, folder := built, "dist"
	if !Built() {
		from, folder = plain, "plain"
	}
	files, err := fs.Sub(from, folder)
	if err != nil {
		panic(err) // the name is sound
	}
	return files
}

// assets serves the page's files.
func (h *Handler) assets() http.Handler {
	files := h.o.page()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Clean(r.URL.Path)[1:]
		if name == "" {
			name = "index.html"
		}
		if fi, err := fs.Stat(files, name); err != nil || fi.IsDir() {
			http.NotFound(w, r)
			return
		}
		http.ServeFileFS(w, r, files, name)
	})
}

// Built says whether the whole page is in this binary.
func Built() bool {
	_, err := fs.Stat(built, "dist/index.html")
	return err == nil
}
