package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
)

// readsNoClock holds when the file calls nothing that depends on when it runs.
func readsNoClock(name string, source []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	clock := importedAs(file, "time")
	var broken []string
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == clock && slices.Contains(clockReaders, selector.Sel.Name) {
			broken = append(broken, fmt.Sprintf("%s uses time.%s: pure code gets the time as a value", files.Position(n.Pos()), selector.Sel.Name))
		}
		return true
	})
	return broken, nil
}

// importedAs is the name that the file knows a package by, "" when it does not.
func importedAs(file *ast.File, path string) string {
	for _, i := range file.Imports {
		if i.Path.Value == strconv.Quote(path) {
			if i.Name != nil {
				return i.Name.Name
			}
			return path
		}
	}
	return ""
}

// declares reports whether the file has a function of that name.
func declares(file *ast.File, function string) bool {
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && f.Recv == nil && f.Name.Name == function
	})
}
