using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>The health checks of the file.</summary>
internal static class FileChecks
{
    public static readonly ImmutableArray<string> Keys =
        ["name", "tcp", "http", "command", "process", "interval", "fastInterval", "timeout", "rise", "fall", "initial", "consequence", "prefixes"];

    public static readonly ImmutableArray<string> OfTcp = ["host", "port"];

    public static readonly ImmutableArray<string> OfHttp =
        ["url", "connectTo", "hostName", "statuses", "bodyContains", "bodyMatches", "verifyCertificate", "certificateAuthorityFile", "minimumCertificateDays"];

    public static readonly ImmutableArray<string> OfCommand = ["run", "user", "group"];

    public static readonly ImmutableArray<string> OfProcess = ["name", "pidFile"];

    private static readonly string[] _probes = ["tcp", "http", "command", "process"];

    /// <summary>All that can be read; what cannot is an error.</summary>
    /// <param name="top">The file.</param>
    public static ImmutableArray<CheckOptions> Read(FileObject top)
    {
        var checks = ImmutableArray.CreateBuilder<CheckOptions>();
        foreach (var source in top.Objects(FileKeys.Checks, Keys))
        {
            if (ReadOne(source) is not { } check)
            {
                continue;
            }

            if (checks.Any(other => other.Name == check.Name))
            {
                source.Refuse("name", $"'{check.Name}' is the name of another check already; give each its own.");
            }

            checks.Add(check);
        }

        if (checks.Count > CheckOptions.MostChecks)
        {
            top.Refuse(FileKeys.Checks, $"has {checks.Count} checks, at most {CheckOptions.MostChecks} are possible; give fewer.");
        }

        return checks.ToImmutable();
    }

    private static CheckOptions? ReadOne(FileObject source)
    {
        var name = source.Text("name");
        if (!source.Has("name"))
        {
            source.Refuse("name", "is missing; give the check a name, such as \"web\".");
        }

        var probe = ReadProbe(source);
        var (least, most) = (CheckOptions.ShortestInterval, CheckOptions.LongestInterval);
        var interval = source.Seconds("interval", least, most) ?? TimeSpan.FromSeconds(2);
        var fast = source.Seconds("fastInterval", least, most);
        var defaults = new CheckOptions { Name = name ?? "", Probe = probe ?? new ProbeOptions.Process("", null) };
        var check = defaults with
        {
            Interval = interval,

            // Half a second suits no check that shall run five times a second anyway.
            FastInterval = fast ?? (defaults.FastInterval < interval ? defaults.FastInterval : interval),
            Timeout = source.Seconds("timeout", least, most) ?? defaults.Timeout,
            Rise = source.Whole("rise", 1, CheckOptions.MostInARow) ?? defaults.Rise,
            Fall = source.Whole("fall", 1, CheckOptions.MostInARow) ?? defaults.Fall,
            Initial = source.Word<InitialVerdict>("initial", ("hold", InitialVerdict.Hold), ("healthy", InitialVerdict.Healthy), ("unhealthy", InitialVerdict.Unhealthy)) ?? defaults.Initial,
            Consequence = source.Word<HealthConsequence>("consequence", ("withdraw", HealthConsequence.Withdraw), ("demote", HealthConsequence.Demote)) ?? defaults.Consequence,
            Prefixes = ReadPrefixes(source),
        };
        if (name is null || probe is null)
        {
            return null;
        }

        foreach (var problem in check.Problems())
        {
            var end = problem.IndexOf(": ", StringComparison.Ordinal);
            source.Refuse(problem[..end], problem[(end + 2)..]);
        }

        return check;
    }

    private static ProbeOptions? ReadProbe(FileObject source)
    {
        var given = _probes.Where(source.Has).ToList();
        if (given.Count != 1)
        {
            source.Refuse("name", given.Count == 0
                ? $"nothing says what is checked; give one of {string.Join(", ", _probes)} beside it."
                : $"{string.Join(" and ", given)} are both given; a check does one thing, give one of them.");
            return null;
        }

        return given[0] switch
        {
            "tcp" => ReadTcp(source.Section("tcp", OfTcp)),
            "http" => ReadHttp(source.Section("http", OfHttp)),
            "command" => ReadCommand(source.Section("command", OfCommand)),
            _ => ReadProcess(source.Section("process", OfProcess)),
        };
    }

    private static ProbeOptions.Tcp? ReadTcp(FileObject source)
    {
        var host = source.Text("host") ?? (source.Has("host") ? null : "127.0.0.1");
        var port = source.Whole("port", 1, 65535);
        if (!source.Has("port"))
        {
            source.Refuse("port", "is missing; give the port that has to accept connections, 1 to 65535.");
        }

        if (host is not null && Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            source.Refuse("host", $"'{host}' is neither a name nor an address; give one, without brackets and port.");
        }

        return host is not null && port is { } number ? new ProbeOptions.Tcp(host, number) : null;
    }

    private static ProbeOptions.Http? ReadHttp(FileObject source)
    {
        var url = source.Text("url");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || !(address.Scheme is "http" or "https") || address.Host.Length == 0)
        {
            if (url is not null || !source.Has("url"))
            {
                source.Refuse("url", url is null ? "is missing; give one such as http://127.0.0.1/health." : $"'{url}' is no http or https URL; give one such as http://127.0.0.1/health.");
            }

            address = null;
        }

        var probe = new ProbeOptions.Http(address ?? new Uri("http://localhost"))
        {
            ConnectTo = source.Text("connectTo"),
            HostName = source.Text("hostName"),
            Statuses = ReadStatuses(source),
            Body = ReadBody(source),
            VerifyCertificate = source.Switch("verifyCertificate") ?? true,
            CertificateAuthorityFile = source.Text("certificateAuthorityFile"),
            MinimumCertificateDays = source.Whole("minimumCertificateDays", 0, 3650),
        };
        return address is null ? null : probe;
    }

    private static ImmutableArray<StatusRange> ReadStatuses(FileObject source)
    {
        var ranges = ImmutableArray.CreateBuilder<StatusRange>();
        foreach (var item in source.List("statuses") ?? [])
        {
            var text = item switch { FileValue.Number number => number.Written, FileValue.Text words => words.Value, _ => "" };
            var ends = text.Split('-');
            if (ends.Length <= 2 && TryStatus(ends[0], out var first) && TryStatus(ends[^1], out var last) && first <= last)
            {
                ranges.Add(new StatusRange(first, last));
            }
            else
            {
                source.Refuse("statuses", $"{FileObject.Shown(item)} is no status; give numbers such as 204, or ranges such as \"200-399\", from 100 to 599.");
            }
        }

        return ranges.ToImmutable();

        static bool TryStatus(string text, out int status) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 100 and <= 599;
    }

    private static BodyPattern? ReadBody(FileObject source)
    {
        var (contains, matches) = (source.Text("bodyContains"), source.Text("bodyMatches"));
        if (contains is not null && matches is not null)
        {
            source.Refuse("bodyMatches", "bodyContains is given as well; give one of the two.");
            return null;
        }

        if (matches is not null)
        {
            if (!BodyPattern.TryMatching(matches, out var pattern, out var problem))
            {
                source.Refuse("bodyMatches", problem);
            }

            return pattern;
        }

        return contains is null ? null : BodyPattern.Containing(contains);
    }

    private static ProbeOptions.Command? ReadCommand(FileObject source)
    {
        var arguments = source.Has("run") && source.Value("run") is FileValue.List
            ? [.. (source.Texts("run") ?? []).Select(text => text.Value)]
            : source.Text("run") is { } line ? CommandWords.Split(line) : [];
        var (user, group) = (source.Text("user"), source.Text("group"));
        if (arguments.IsEmpty || arguments[0].Length == 0)
        {
            source.Refuse("run", "there is no program; give a line such as \"killall -0 nginx\", or a list of the program and its arguments.");
            return null;
        }

        return new ProbeOptions.Command(arguments) { User = user, Group = group };
    }

    private static ProbeOptions.Process? ReadProcess(FileObject source)
    {
        var (name, file) = (source.Text("name"), source.Text("pidFile"));
        if (string.IsNullOrEmpty(name) && string.IsNullOrEmpty(file))
        {
            source.Refuse("name", "there is neither a name nor a pidFile; give one of them, such as \"nginx\".");
            return null;
        }

        return new ProbeOptions.Process(name, file);
    }

    private static ImmutableArray<IPNetwork> ReadPrefixes(FileObject source)
    {
        var prefixes = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var text in source.Texts("prefixes") ?? [])
        {
            if (!SharedPrefix.TryParse(text.Value, out var prefix, out var problem))
            {
                source.Refuse("prefixes", problem);
            }
            else if (!prefixes.Contains(prefix))
            {
                prefixes.Add(prefix);
            }
        }

        if (source.Has("prefixes") && source.Value("prefixes") is FileValue.List { Items.IsEmpty: true })
        {
            source.Refuse("prefixes", "is empty, so the check would speak for nothing; name a prefix, or leave the key out for all prefixes.");
        }

        return prefixes.ToImmutable();
    }
}
