using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace FailoverHub.Architecture.Tests;

/// <summary>The files of a repository that rules are about: that of this project, or one made up to show that a rule can fail.</summary>
internal sealed class SourceTree
{
    // What a build, a test run or a package manager makes; not ours.
    private static readonly string[] Made = ["bin", "obj", ".git", ".run", ".vs", ".idea", "TestResults", "artifacts", "node_modules"];

    private readonly SortedDictionary<string, Lazy<string>> _files;

    private SourceTree(SortedDictionary<string, Lazy<string>> files) => _files = files;

    /// <summary>Path of every file, relative to the root, with slashes.</summary>
    public IEnumerable<string> Files => _files.Keys;

    /// <summary>Every project file.</summary>
    public IEnumerable<string> Projects => Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal));

    /// <summary>This repository, found upwards from the test program.</summary>
    public static SourceTree OfThisRepository()
    {
        var root = Root();
        var files = new SortedDictionary<string, Lazy<string>>(StringComparer.Ordinal);
        Collect(new DirectoryInfo(root));
        return new SourceTree(files);

        void Collect(DirectoryInfo folder)
        {
            foreach (var file in folder.EnumerateFiles())
            {
                files[Path.GetRelativePath(root, file.FullName).Replace('\\', '/')] = new Lazy<string>(() => File.ReadAllText(file.FullName));
            }

            foreach (var child in folder.EnumerateDirectories().Where(d => !Made.Contains(d.Name)))
            {
                Collect(child);
            }
        }
    }

    /// <summary>A tree made up of these files.</summary>
    public static SourceTree Of(params (string Path, string Text)[] files) =>
        new(new SortedDictionary<string, Lazy<string>>(files.ToDictionary(f => f.Path, f => new Lazy<string>(f.Text)), StringComparer.Ordinal));

    /// <summary>Folder of FailoverHub.sln.</summary>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FailoverHub.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No FailoverHub.sln above {AppContext.BaseDirectory}: run these tests from a build inside of the repository.");
    }

    /// <summary>Text of a file.</summary>
    public string Text(string path) => _files[path].Value;

    /// <summary>A project or props file.</summary>
    public XDocument Xml(string path) => XDocument.Parse(Text(path));

    /// <summary>C# and Razor sources under a folder that are written by hand.</summary>
    public IEnumerable<string> Sources(string folder) => Files.Where(f => f.StartsWith(folder, StringComparison.Ordinal)
        && (f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal)));

    /// <summary>Lines of a source that match, by number from 1, looking at code only and not at comments or texts.</summary>
    public IEnumerable<(int Line, string Code)> Matches(string path, Regex pattern) =>
        CSharpText.CodeOnly(Text(path)).Split('\n').Select((code, index) => (Line: index + 1, Code: code.Trim())).Where(l => pattern.IsMatch(l.Code));
}
