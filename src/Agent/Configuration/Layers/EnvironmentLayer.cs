using System.Collections.Immutable;
using System.CommandLine;
using FailoverHub.Agent.Configuration.CommandLine;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>
/// The flags as environment variables: <c>--hold-time</c> is <c>FAILOVERHUB_AGENT_HOLD_TIME</c>. What may be given several times stands in one
/// variable, with commas or blanks between; an empty variable is none.
/// </summary>
internal static class EnvironmentLayer
{
    public const string Prefix = "FAILOVERHUB_AGENT_";

    // The hub's variable for the address at which it serves agents.
    private const string OfTheHub = "FAILOVERHUB_AGENT_URL";

    /// <summary>The variable of a flag.</summary>
    public static string NameOf(string flag) => Prefix + flag.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>By flag; and what is wrong, and what is suspicious, in sentences.</summary>
    /// <param name="variables">All of the environment.</param>
    /// <param name="flags">All that there are.</param>
    public static (ImmutableDictionary<string, GivenSetting> Settings, ImmutableArray<string> Errors, ImmutableArray<string> Warnings) Read(
        IEnumerable<KeyValuePair<string, string>> variables,
        IEnumerable<Option> flags)
    {
        var byName = flags.ToDictionary(flag => NameOf(flag.Name), StringComparer.Ordinal);
        var settings = ImmutableDictionary.CreateBuilder<string, GivenSetting>(StringComparer.Ordinal);
        var errors = ImmutableArray.CreateBuilder<string>();
        var warnings = ImmutableArray.CreateBuilder<string>();
        foreach (var (name, value) in variables.Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal) && variable.Key != OfTheHub).OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (!byName.TryGetValue(name, out var flag))
            {
                // No error: a variable that a newer agent knows must not keep this one from starting.
                warnings.Add($"environment variable {name} is not known and not used{(Spelling.Nearest(name, byName.Keys) is { } near ? $"; did you mean {near}?" : "")}");
            }
            else if (!string.IsNullOrWhiteSpace(value))
            {
                var (texts, problem) = Texts(flag, value.Trim());
                if (problem is not null)
                {
                    errors.Add($"{name}: {problem}");
                }

                settings[flag.Name] = new GivenSetting(texts, [new SettingKey(name)]) { IsBroken = problem is not null };
            }
        }

        return (settings.ToImmutable(), errors.ToImmutable(), warnings.ToImmutable());
    }

    private static (ImmutableArray<string> Texts, string? Problem) Texts(Option flag, string value) => flag switch
    {
        Option<string[]> => ([.. value.Split([' ', ',', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries)], null),
        Option<bool> when bool.TryParse(GoFlags.Word(value), out var on) => ([on ? "true" : "false"], null),
        Option<bool> => ([], $"'{value}' is neither; give true or false."),
        _ => ([value], null),
    };
}
