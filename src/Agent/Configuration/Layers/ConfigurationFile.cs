using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>What the file says: settings that are the same as a flag, and what no flag can say.</summary>
internal sealed record ConfigurationFile
{
    /// <summary>The file's own default when no <c>--config</c> is given.</summary>
    public const string DefaultPath = "/etc/failoverhub/agent.json";

    /// <summary>A million of octets are ten thousands of prefixes; what is larger is no configuration.</summary>
    public const int Largest = 4 * 1024 * 1024;

    /// <summary>By flag.</summary>
    public ImmutableDictionary<string, GivenSetting> Settings { get; init; } = ImmutableDictionary<string, GivenSetting>.Empty;

    /// <summary>Null: the file says nothing of prefixes.</summary>
    public ImmutableArray<ConfiguredPrefix>? Prefixes { get; init; }

    public ImmutableArray<CheckOptions> Checks { get; init; } = [];

    public IntentLimits Limits { get; init; } = new();

    /// <summary>Reads it; what cannot be read is absent from the result, and an error.</summary>
    /// <param name="file">Its name, for the errors.</param>
    /// <param name="text">Its octets.</param>
    /// <returns>A null file: it is no JSON, so nothing more can be said about the rest.</returns>
    public static (ConfigurationFile? File, ImmutableArray<string> Errors) Read(string file, ReadOnlySpan<byte> text)
    {
        var errors = new FileErrors(file);
        var (value, at, problem) = FileParser.Parse(text);
        if (value is not FileValue.Object source)
        {
            errors.Add(at, "", problem ?? $"is {value!.Kind}; it has to be one object, {{ ... }}.");
            return (null, errors.Sentences);
        }

        var top = new FileObject(source, "", FileKeys.Top, errors);
        var settings = ImmutableDictionary.CreateBuilder<string, GivenSetting>(StringComparer.Ordinal);
        ReadFlags(top, settings, errors);
        ReadRole(top, settings, errors);
        var read = new ConfigurationFile
        {
            Settings = settings.ToImmutable(),
            Prefixes = top.Has(FileKeys.Prefixes) ? ReadPrefixes(top) : null,
            Checks = FileChecks.Read(top),
            Limits = ReadLimits(top.Section(FileKeys.Limits, FileKeys.OfLimits)),
        };
        return (read, errors.Sentences);
    }

    private static void ReadFlags(FileObject top, ImmutableDictionary<string, GivenSetting>.Builder settings, FileErrors errors)
    {
        var sections = FileKeys.Sections.ToDictionary(name => name, name => top.Section(name, FileKeys.OfSection(name)));
        foreach (var key in FileKeys.Flags)
        {
            var (source, name) = key.Path.Split('.') is [var section, var rest] ? (sections[section], rest) : (top, key.Path);
            if (source.Has(name))
            {
                settings[key.Flag] = Setting(source, name, key, errors);
            }
        }
    }

    private static GivenSetting Setting(FileObject source, string name, FileKey key, FileErrors errors)
    {
        var value = source.Value(name)!;
        SettingKey Named(FileValue item, int? index) => new(index is null ? key.Path : $"{key.Path}[{index}]", errors.Place(item.At));
        if (key.Shape == FileShape.Texts)
        {
            var items = source.Texts(name) ?? [];
            return new GivenSetting([.. items.Select(item => item.Value)], [.. items.Select((item, index) => Named(item, index))]) { IsBroken = items.IsEmpty };
        }

        var text = (key.Shape, value) switch
        {
            (FileShape.Number or FileShape.TextOrNumber, FileValue.Number number) => number.Written,
            (FileShape.TextOrNumber, FileValue.Text given) => given.Value,
            (FileShape.Number, _) => Refused(source, name, $"{value.Kind} stands where a number belongs; write one, without quotation marks."),
            (FileShape.Switch, _) => source.Switch(name) is { } on ? (on ? "true" : "false") : null,
            (FileShape.OnOff, _) => source.Switch(name) is { } on ? (on ? "on" : "off") : null,
            _ => source.Text(name),
        };
        if (text is not null && !key.Words.IsEmpty && !key.Words.Contains(text))
        {
            text = Refused(source, name, $"'{text}' is not known; write one of {string.Join(", ", key.Words)}.");
        }

        return new GivenSetting(text is null ? [] : [text], [Named(value, null)]) { IsBroken = text is null };
    }

    private static string? Refused(FileObject source, string name, string sentence)
    {
        source.Refuse(name, sentence);
        return null;
    }

    private static void ReadRole(FileObject top, ImmutableDictionary<string, GivenSetting>.Builder settings, FileErrors errors)
    {
        if (RoleOf(top, FileKeys.Role) is { } role)
        {
            settings[role == Role.Primary ? "--primary" : "--secondary"] = new GivenSetting(["true"], [new SettingKey(FileKeys.Role, errors.Place(top.PlaceOf(FileKeys.Role)))]);
        }
    }

    private static Role? RoleOf(FileObject source, string name) => source.Word<Role>(name, ("primary", Role.Primary), ("secondary", Role.Secondary));

    private static ImmutableArray<ConfiguredPrefix> ReadPrefixes(FileObject top)
    {
        var prefixes = new List<ConfiguredPrefix>();
        var seen = new HashSet<IPNetwork>();
        foreach (var source in top.Objects(FileKeys.Prefixes, FileKeys.OfPrefix))
        {
            var role = RoleOf(source, "role");
            var present = source.Switch("present") ?? false;
            var failback = ReadFailback(source);
            if (source.Text("prefix") is not { } text)
            {
                if (!source.Has("prefix"))
                {
                    source.Refuse("prefix", "is missing; give the shared prefix, such as \"203.0.113.10/32\".");
                }
            }
            else if (!SharedPrefix.TryParse(text, out var prefix, out var problem))
            {
                source.Refuse("prefix", problem);
            }
            else if (!seen.Add(prefix))
            {
                source.Refuse("prefix", $"{prefix} is given twice; give each prefix once.");
            }
            else
            {
                prefixes.Add(new ConfiguredPrefix(prefix, role) { Present = present, Failback = failback });
            }
        }

        return [.. prefixes];
    }

    private static FailbackOptions? ReadFailback(FileObject above)
    {
        if (!above.Has(FileKeys.Failback))
        {
            return null;
        }

        var source = above.Section(FileKeys.Failback, FileKeys.OfFailback);
        var defaults = new FailbackOptions();
        return new FailbackOptions
        {
            Policy = source.Word<FailbackPolicy>(
                "policy",
                ("immediate", FailbackPolicy.Immediate),
                ("after-stable", FailbackPolicy.AfterStable),
                ("manual", FailbackPolicy.Manual),
                ("sticky", FailbackPolicy.Sticky)) ?? defaults.Policy,
            StableFor = source.Whole("stableFor", 1, (int)FailbackOptions.LongestStable.TotalSeconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : defaults.StableFor,
        };
    }

    private static IntentLimits ReadLimits(FileObject source)
    {
        var defaults = new IntentLimits();
        return new IntentLimits
        {
            Drain = source.Switch("drain") ?? defaults.Drain,
            Promote = source.Switch("promote") ?? defaults.Promote,
            Demote = source.Switch("demote") ?? defaults.Demote,
        };
    }
}
