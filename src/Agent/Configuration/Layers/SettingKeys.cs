using System.Collections.Immutable;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>What a setting is called by whoever gave it.</summary>
/// <param name="Name"><c>FAILOVERHUB_AGENT_HOLD_TIME</c>, <c>session.holdTime</c>, <c>neighbors[1]</c>.</param>
/// <param name="Place">Where in which file, <c>agent.json:12:5</c>; null: in none.</param>
internal sealed record SettingKey(string Name, string? Place = null);

/// <summary>Values of one flag that were not given on the command line.</summary>
/// <param name="Texts">As they would be typed behind the flag.</param>
/// <param name="Keys">One for each of them.</param>
internal sealed record GivenSetting(ImmutableArray<string> Texts, ImmutableArray<SettingKey> Keys)
{
    /// <summary>What was given cannot be read and has its error already.</summary>
    public bool IsBroken { get; init; }
}

/// <summary>
/// Under which names the settings were given, so that a sentence about <c>--hold-time</c> speaks of <c>session.holdTime</c> to whoever has written
/// that into the file.
/// </summary>
internal sealed class SettingKeys
{
    private readonly IReadOnlyDictionary<string, GivenSetting> _below;
    private readonly Func<string, bool> _onCommandLine;
    private readonly bool _usesFile;

    /// <param name="below">By flag: what the environment and the file give.</param>
    /// <param name="onCommandLine">Whether a flag was typed.</param>
    /// <param name="usesFile">There is a file: a setting that nobody gave would be written there.</param>
    public SettingKeys(IReadOnlyDictionary<string, GivenSetting> below, Func<string, bool> onCommandLine, bool usesFile)
    {
        _below = below;
        _onCommandLine = onCommandLine;
        _usesFile = usesFile;
    }

    /// <summary>Everything is called by its flag.</summary>
    public static SettingKeys Flags { get; } = new(ImmutableDictionary<string, GivenSetting>.Empty, static _ => true, usesFile: false);

    /// <summary>The name of a flag's setting; null: the flag is its name.</summary>
    /// <param name="flag">With its two dashes.</param>
    /// <param name="index">Which of its values is spoken of; null: all.</param>
    public SettingKey? Find(string flag, int? index)
    {
        if (_onCommandLine(flag))
        {
            return null;
        }

        if (_below.TryGetValue(flag, out var given) && !given.Keys.IsEmpty)
        {
            return given.Keys[index < given.Keys.Length ? index.Value : 0];
        }

        return _usesFile && FileKeys.ByFlag.TryGetValue(flag, out var key) ? new SettingKey(key.Path) : null;
    }

    /// <summary>What was given has its error already.</summary>
    public bool IsBroken(string flag) => !_onCommandLine(flag) && _below.TryGetValue(flag, out var given) && given.IsBroken;
}
