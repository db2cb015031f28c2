using System.IO.Enumeration;

namespace FailoverHub.Agent.Addresses.Permanent;

/// <summary>
/// What systemd-networkd reads. It takes for an interface the first file that matches it, in the order of the names and wherever they are, and nothing of any
/// other: a file of ours for loopback takes the place of one that was there (systemd.network(5)).
/// </summary>
internal static class NetworkdFiles
{
    private const string Loopback = "lo";

    // Of two with one name the one that is here first replaces the other.
    private static readonly string[] _folders = ["etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network", "usr/lib/systemd/network", "lib/systemd/network"];

    /// <summary>The file that gives loopback what it has, but for one of this name; null: there is none. One that is for every interface is not about loopback.</summary>
    /// <param name="root">Where the file system of the host begins: <c>/</c>.</param>
    /// <param name="but">Name of our own.</param>
    public static string? ForLoopback(string root, string but)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { but };
        var found = new List<(string Name, string Path)>();
        foreach (var folder in _folders)
        {
            foreach (var path in FilesIn(Path.Combine(root, folder)))
            {
                var name = Path.GetFileName(path);
                if (seen.Add(name) && IsForLoopback(ReadLines(path)))
                {
                    found.Add((name, $"/{folder}/{name}"));
                }
            }
        }

        return found.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => file.Path).FirstOrDefault();
    }

    private static bool IsForLoopback(IEnumerable<string> lines)
    {
        List<string> names = [];
        List<string> types = [];
        var isMatch = false;
        foreach (var line in lines.Select(line => line.Trim()))
        {
            if (line is ['[', .., ']'])
            {
                isMatch = line == "[Match]";
            }
            else if (isMatch && line.Split('=', 2) is [var key, var value] && (key.TrimEnd() switch { "Name" => names, "Type" => types, _ => null }) is { } patterns)
            {
                patterns.AddRange(value.Split([' ', '\t', '"'], StringSplitOptions.RemoveEmptyEntries));
            }
        }

        var isOfAnotherType = types.Count > 0 && !types[0].StartsWith('!') && !types.Exists(type => FileSystemName.MatchesSimpleExpression(type, "loopback", ignoreCase: false));
        return !isOfAnotherType && (Means(names, Loopback) || (names.TrueForAll(name => name == "*") && Means(types, "loopback")));
    }

    // A list that begins with an exclamation mark says what is left out.
    private static bool Means(List<string> patterns, string what) =>
        patterns.Count > 0 && !patterns[0].StartsWith('!') && patterns.Exists(pattern => pattern != "*" && FileSystemName.MatchesSimpleExpression(pattern, what, ignoreCase: false));

    private static string[] FilesIn(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*.network");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // What is not to be read says nothing.
    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
