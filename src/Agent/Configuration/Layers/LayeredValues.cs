using System.Collections.Immutable;
using System.CommandLine;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>The values of the flags: of the command line, else of the environment, else of the file.</summary>
internal sealed class LayeredValues
{
    // Flags that speak of one thing: whoever gives one of them above has said it, and what is said of it below does not count.
    private static readonly string[][] _same =
    [
        ["--primary", "--secondary"],
        ["--multihopttl", "--ttl-security"],
        ["--md5-key-file", "--tcp-ao-key-file"],
    ];

    private readonly ParseResult _commandLine;
    private readonly ImmutableDictionary<string, GivenSetting> _below;
    private readonly HashSet<string> _typed;

    /// <param name="commandLine">As it was typed.</param>
    /// <param name="environment">By flag.</param>
    /// <param name="file">By flag.</param>
    /// <param name="usesFile">Whether there is a file.</param>
    public LayeredValues(ParseResult commandLine, ImmutableDictionary<string, GivenSetting> environment, ImmutableDictionary<string, GivenSetting> file, bool usesFile)
    {
        _commandLine = commandLine;
        // A switch that nobody typed has a result as well, an implicit one.
        _typed = commandLine.CommandResult.Children.OfType<System.CommandLine.Parsing.OptionResult>().Where(option => !option.Implicit).Select(option => option.Option.Name).ToHashSet(StringComparer.Ordinal);
        var fromEnvironment = environment.RemoveRange(WithTheSame(_typed));
        _below = file.RemoveRange(WithTheSame(_typed.Concat(fromEnvironment.Keys))).SetItems(fromEnvironment);
        Keys = new SettingKeys(_below, _typed.Contains, usesFile);
    }

    /// <summary>What they are called by whoever gave them.</summary>
    public SettingKeys Keys { get; }

    /// <summary>Null: nobody gave it.</summary>
    public string? Of(Option<string?> flag) => IsTyped(flag) ? Typed(flag) : Below(flag).FirstOrDefault();

    public bool Of(Option<bool> flag) => IsTyped(flag) ? Typed(flag) : Below(flag).FirstOrDefault() == "true";

    /// <summary>A list replaces the one below as a whole.</summary>
    public string[]? Of(Option<string[]> flag) => IsTyped(flag) ? Typed(flag) : [.. Below(flag)];

    private bool IsTyped(Option flag) => _typed.Contains(flag.Name);

    // An option that itself was given wrongly has its error already; its value must not be asked for.
    private T? Typed<T>(Option<T> flag) => _commandLine.GetResult(flag)!.Errors.Any() ? default : _commandLine.GetValue(flag);

    private ImmutableArray<string> Below(Option flag) => _below.TryGetValue(flag.Name, out var given) ? given.Texts : [];

    private static List<string> WithTheSame(IEnumerable<string> flags)
    {
        var given = flags.ToHashSet(StringComparer.Ordinal);
        return [.. given.Concat(_same.Where(group => group.Any(given.Contains)).SelectMany(group => group))];
    }
}
