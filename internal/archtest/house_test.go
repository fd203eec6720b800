package archtest

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// listed is the part of go list's answer that is looked at.
type listed struct {
	ImportPath, Dir                    string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// list asks for every package of the house as it is built for that system.
func list(t *testing.T, system string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(answer))); ; {
		var l listed
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, l)
	}
}

func (l listed) pkg() pkg {
	return pkg{
		path:        strings.TrimPrefix(strings.TrimPrefix(l.ImportPath, module), "/"),
		imports:     l.Imports,
		testImports: append(l.TestImports, l.XTestImports...),
	}
}

func TestArrowsPointDown(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		var packages []pkg
		for _, l := range list(t, system) {
			packages = append(packages, l.pkg())
		}
		if len(packages) < 5 {
			t.Fatalf("%s: only %d packages were found", system, len(packages))
		}
		for _, sentence := range check(packages) {
			t.Errorf("%s: %s", system, sentence)
		}
	}
}

func TestPureRoomsReadNoClock(t *testing.T) {
	read := 0
	for _, l := range list(t, "linux") {
		for _, pure := range pureRooms {
			if roomOf(l.pkg().path).path != pure {
				continue
			}
			for _, name := range l.GoFiles {
				read++
				expectNoClock(t, filepath.Join(l.Dir, name))
			}
		}
	}
	if read == 0 {
		t.Fatal("no file of a pure room was found")
	}
}

// The rule of health lives beside the probes, which do all the I/O there is;
// the file that declares it is held to what pure rooms are held to.
func TestTheHealthRuleIsPure(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(root, "engine", "health", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if !declares(file, "Judge") {
			continue
		}
		found = true
		var imports []string
		for _, i := range file.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports = append(imports, path)
		}
		for _, sentence := range isPure(name, imports) {
			t.Error(sentence)
		}
		expectNoClock(t, name)
	}
	if !found {
		t.Error("no file of engine/health declares Judge, the rule")
	}
}

func expectNoClock(t *testing.T, name string) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	broken, err := readsNoClock(name, source)
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range broken {
		t.Error(sentence)
	}
}
