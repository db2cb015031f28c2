using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace FailoverHub.Architecture.Tests;

/// <summary>Rules about projects, folders and packages. Each gives one sentence for each thing that breaks it; none: it is kept.</summary>
internal static partial class ProjectRules
{
    /// <summary>The arrows of design.md: what each product project may reference.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["Bgp"] = [],
        ["Protos"] = [],
        ["Agent"] = ["Bgp", "Protos"],
        ["Lab"] = ["Bgp"],
        ["Web"] = ["Protos"],
    };

    private static readonly string[] Drawers = ["Core", "Common", "Utils", "Util", "Utilities", "Helpers", "Helper", "Misc"];

    /// <summary>What the assembly of each product project is called.</summary>
    private static readonly Dictionary<string, string> Assemblies = new(StringComparer.Ordinal)
    {
        ["Bgp"] = "FailoverHub.Bgp",
        ["Protos"] = "FailoverHub.Protos",
        ["Agent"] = "failoverhub-agent",
        ["Lab"] = "failoverhub-lab",
        ["Web"] = "failoverhub",
    };

    /// <summary>The product projects and their assemblies.</summary>
    public static IReadOnlyDictionary<string, string> AssemblyNames => Assemblies;

    public static IEnumerable<string> Arrow(SourceTree tree)
    {
        foreach (var path in tree.Projects.Where(p => p.StartsWith("src/", StringComparison.Ordinal)))
        {
            var project = NameOf(path);
            if (!Arrows.TryGetValue(project, out var allowed))
            {
                yield return $"{path}: a new product project. Say in ARCHITECTURE.md what it is for, and in ProjectRules.Arrows what it may reference.";
                continue;
            }

            foreach (var reference in Items(tree.Xml(path), "ProjectReference").Select(i => NameOf(Value(i, "Include").Replace('\\', '/'))))
            {
                if (!allowed.Contains(reference))
                {
                    yield return $"{path}: {project} must not reference {reference}; it may reference {Words(allowed)}. Move the type to where both may see it, or give it a type of its own at the boundary.";
                }
            }
        }
    }

    /// <param name="assembly">Name of a product assembly.</param>
    /// <param name="references">Names of the assemblies that it was compiled against and uses.</param>
    public static IEnumerable<string> CompiledArrow(string assembly, IEnumerable<string> references)
    {
        var project = Assemblies.Single(a => a.Value == assembly).Key;
        foreach (var reference in references)
        {
            if (Assemblies.FirstOrDefault(a => a.Value == reference).Key is { } other && !Arrows[project].Contains(other))
            {
                yield return $"{assembly}.dll uses {reference}.dll; {project} may use {Words(Arrows[project])}. Find the reference that brings it (a transitive one, a package or a copied file) and take it away.";
            }

            if (project == "Bgp" && (!reference.StartsWith("System.", StringComparison.Ordinal) || BgpBans(reference)))
            {
                yield return $"{assembly}.dll uses {reference}.dll; Bgp is pure: bytes and time in, messages and effects out. Give the result to the caller as an effect instead.";
            }
            else if (reference == "System.Net.Ping")
            {
                yield return $"{assembly}.dll uses {reference}.dll, which starts the machine's ping where it may not open a socket. Ask by IcmpProbe.";
            }
        }
    }

    public static IEnumerable<string> NoDrawer(SourceTree tree)
    {
        var folders = tree.Files
            .Where(f => f.StartsWith("src/", StringComparison.Ordinal) || f.StartsWith("tests/", StringComparison.Ordinal))
            .SelectMany(f => Enumerable.Range(0, f.Count(c => c == '/')).Select(n => string.Join('/', f.Split('/').Take(n + 1))))
            .Distinct(StringComparer.Ordinal);
        foreach (var folder in folders)
        {
            var name = folder[(folder.LastIndexOf('/') + 1)..];
            // The dashboard's parts that several pages use; named by the design.
            if (IsDrawer(name) && folder != "src/Web/Components/Shared")
            {
                yield return $"{folder}/: a folder of leftovers. Name it for what its files do, or put each beside its one user.";
            }
        }

        foreach (var project in tree.Projects.Where(p => Path.GetFileNameWithoutExtension(p).Split('.').Any(IsDrawer)))
        {
            yield return $"{project}: a project of leftovers. Name it for what it does, or put each file where it is used.";
        }
    }

    public static IEnumerable<string> SolutionIsComplete(SourceTree tree)
    {
        var listed = SolutionEntry().Matches(tree.Text("FailoverHub.sln")).Select(m => m.Groups[1].Value.Replace('\\', '/')).ToHashSet(StringComparer.Ordinal);
        foreach (var project in tree.Projects.Where(p => !listed.Contains(p)))
        {
            yield return $"{project} is not in the solution, so neither ./test.sh nor CI builds it: dotnet sln FailoverHub.sln add {project}";
        }

        foreach (var entry in listed.Where(e => !tree.Projects.Contains(e)))
        {
            yield return $"FailoverHub.sln lists {entry}, which is not there: dotnet sln FailoverHub.sln remove {entry}";
        }
    }

    public static IEnumerable<string> VersionsAreCentral(SourceTree tree)
    {
        var central = Items(tree.Xml("Directory.Packages.props"), "PackageVersion").ToDictionary(i => Value(i, "Include"), i => Value(i, "Version"), StringComparer.OrdinalIgnoreCase);
        foreach (var (package, version) in central.Where(c => !ExactVersion().IsMatch(c.Value)))
        {
            yield return $"Directory.Packages.props: {package} has version '{version}'; pin one exact version, so that every machine builds the same.";
        }

        var files = tree.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) || (f.EndsWith(".props", StringComparison.Ordinal) && f != "Directory.Packages.props"));
        foreach (var path in files)
        {
            // One that is taken away again (Remove) needs no version.
            foreach (var reference in Items(tree.Xml(path), "PackageReference").Where(item => Value(item, "Remove").Length == 0))
            {
                var package = Value(reference, "Include") is { Length: > 0 } include ? include : Value(reference, "Update");
                if (Value(reference, "Version").Length > 0 || Value(reference, "VersionOverride").Length > 0)
                {
                    yield return $"{path}: {package} has a version of its own; write it in Directory.Packages.props.";
                }
                else if (!central.ContainsKey(package))
                {
                    yield return $"{path}: {package} has no version; write it in Directory.Packages.props.";
                }
            }
        }
    }

    private static bool IsDrawer(string name) =>
        Drawers.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith("Shared", StringComparison.OrdinalIgnoreCase);

    private static bool BgpBans(string assembly) =>
        assembly is "System.Net.Sockets" or "System.Net.NetworkInformation" or "System.Threading.Channels" or "System.Console"
            or "System.Diagnostics.Process" or "System.IO.Pipelines" or "System.Net.Http" or "System.Net.NameResolution";

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path);

    private static IEnumerable<XElement> Items(XDocument document, string kind) => document.Descendants().Where(e => e.Name.LocalName == kind);

    private static string Value(XElement item, string name) =>
        item.Attribute(name)?.Value ?? item.Elements().FirstOrDefault(e => e.Name.LocalName == name)?.Value ?? "";

    private static string Words(string[] names) => names.Length == 0 ? "nothing" : string.Join(" and ", names);

    [GeneratedRegex("""= "[^"]+", "([^"]+\.csproj)",""")]
    private static partial Regex SolutionEntry();

    [GeneratedRegex(@"^\d+(\.\d+)+(-[0-9A-Za-z.-]+)?$")]
    private static partial Regex ExactVersion();
}
