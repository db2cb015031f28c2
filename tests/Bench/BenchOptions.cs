using System.Globalization;

namespace FailoverHub.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    /// <summary>Samples of each row; one more round before them is not counted.</summary>
    public int Rounds { get; init; } = 6;

    /// <summary>Over which processor time of idle daemons is counted.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Before the memory of daemons is looked at.</summary>
    public TimeSpan RestTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// And then, before idle daemons are: what a daemon does once in its first minutes (ours gives back what its start needed, and asks in vain for a
    /// metadata service, seldomer each time) is not what it costs for the months afterwards.
    /// </summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(80);

    /// <summary>Over which keepalives under load are watched.</summary>
    public TimeSpan StressTime { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Which parts run; empty: all.</summary>
    public IReadOnlySet<string> Parts { get; init; } = new HashSet<string>();

    /// <summary>Another bench: real route servers, a fabric that forwards, and a client that pings.</summary>
    public bool Forwards { get; init; }

    /// <summary>Where the JSON goes; null: nowhere.</summary>
    public string? Output { get; init; }

    /// <summary>The native agent.</summary>
    public required string Native { get; init; }

    /// <summary>The same, compiled as it runs.</summary>
    public required string Jit { get; init; }

    public static readonly string[] AllParts = ["start", "goodbyes", "idle", "commands", "local", "full", "keepalives", "codec", "moves", "services", "returns"];

    public bool Wants(string part) => Parts.Count == 0 || Parts.Contains(part);

    /// <summary>Reads <c>quick|full|forwarding [--rounds N] [--parts A,B] [--output FILE] --native FILE --jit FILE</c>.</summary>
    /// <exception cref="FormatException">It says what is wrong.</exception>
    public static BenchOptions Read(IReadOnlyList<string> args)
    {
        var given = new Dictionary<string, string>();
        for (var at = 1; at < args.Count; at += 2)
        {
            given[args[at]] = at + 1 < args.Count ? args[at + 1] : throw new FormatException($"{args[at]} needs a value.");
        }

        var options = new BenchOptions { Native = Take("--native") ?? "", Jit = Take("--jit") ?? "", Output = Take("--output") };
        options = args[0] switch
        {
            "full" => options,
            "forwarding" => options with { Rounds = 5, Forwards = true },
            "quick" => options with
            {
                Rounds = 3, IdleTime = TimeSpan.FromSeconds(12), RestTime = TimeSpan.FromSeconds(8), StressTime = TimeSpan.FromSeconds(20),
            },
            _ => throw new FormatException($"'{args[0]}' is none of quick, full, forwarding."),
        };
        if (Take("--rounds") is { } rounds)
        {
            options = options with { Rounds = int.TryParse(rounds, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 100 ? number : throw new FormatException("--rounds is 1 to 100.") };
        }

        if (Take("--parts") is { } parts)
        {
            options = options with { Parts = parts.Split(',').ToHashSet() };
            if (options.Parts.Except(AllParts).FirstOrDefault() is { } unknown)
            {
                throw new FormatException($"There is no part '{unknown}'; there are {string.Join(", ", AllParts)}.");
            }
        }

        return given.Count == 0 ? options : throw new FormatException($"There is no option {given.Keys.First()}.");

        string? Take(string name) => given.Remove(name, out var value) ? value : null;
    }
}
