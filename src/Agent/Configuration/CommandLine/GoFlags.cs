namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>
/// What the vendor's client, a Go program, takes and our own reader of command lines does not: all of Go's words for true and false, and flags
/// that are given again, of which the last counts. Only the vendor's flags are touched.
/// </summary>
internal static class GoFlags
{
    private static readonly string[] _switches = ["primary", "secondary", "send56", "allifs", "logjson"];
    private static readonly string[] _texts = ["dcid", "multihopttl", "neighborpattern", "loglevel"];

    /// <summary>The same command line with each of those flags once, and switches as <c>true</c> or <c>false</c>.</summary>
    public static IReadOnlyList<string> Normalize(IReadOnlyList<string> args)
    {
        var kept = new List<(string? Flag, string[] Words)>();
        for (var index = 0; index < args.Count; index++)
        {
            var (flag, value) = Split(args[index]);
            if (flag is null)
            {
                kept.Add((null, [args[index]]));
                continue;
            }

            kept.RemoveAll(earlier => earlier.Flag == flag);
            if (_switches.Contains(flag))
            {
                // Always with its value: a switch of Go takes none from the next word, which is a mistake then and not a value.
                kept.Add((flag, [$"--{flag}={(value is null ? "true" : Word(value))}"]));
            }
            else if (value is null && index + 1 < args.Count)
            {
                kept.Add((flag, [args[index], args[++index]]));
            }
            else
            {
                kept.Add((flag, [args[index]]));
            }
        }

        return [.. kept.SelectMany(item => item.Words)];
    }

    // Null: none of the vendor's flags.
    private static (string? Flag, string? Value) Split(string argument)
    {
        var bare = argument.StartsWith("--", StringComparison.Ordinal) ? argument[2..] : argument.StartsWith('-') ? argument[1..] : "";
        var parts = bare.Split('=', 2);
        return _switches.Contains(parts[0]) || _texts.Contains(parts[0]) ? (parts[0], parts.Length == 2 ? parts[1] : null) : (null, null);
    }

    /// <summary>Go's strconv.ParseBool; anything else is left for the reader to refuse.</summary>
    public static string Word(string value) => value switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => "true",
        "0" or "f" or "F" or "false" or "FALSE" or "False" => "false",
        _ => value,
    };
}
