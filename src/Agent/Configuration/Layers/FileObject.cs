using System.Collections.Immutable;
using System.Globalization;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>
/// One object of the file while it is read. A key that is not known, or is there twice, is an error at once; a value of another kind than asked for
/// is one when it is asked for, and counts as absent then.
/// </summary>
internal sealed class FileObject
{
    private readonly Dictionary<string, FileMember> _members = new(StringComparer.Ordinal);
    private readonly FileErrors _errors;
    private readonly ImmutableArray<string> _known;

    /// <param name="source">As it was written.</param>
    /// <param name="path">Of the object, empty at the top.</param>
    /// <param name="known">Keys that it may have.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public FileObject(FileValue.Object source, string path, ImmutableArray<string> known, FileErrors errors)
    {
        (Path, At, _known, _errors) = (path, source.At, known, errors);
        foreach (var member in source.Members)
        {
            if (!known.Contains(member.Name))
            {
                errors.Add(member.At, PathOf(member.Name), $"is no key here; {Advice(member.Name, path, known)}");
            }
            else if (!_members.TryAdd(member.Name, member))
            {
                errors.Add(member.At, PathOf(member.Name), $"is given twice, first in line {_members[member.Name].At.Line}; give it once.");
            }
        }
    }

    public string Path { get; }

    public FilePlace At { get; }

    public bool Has(string name) => Find(name) is not null;

    public FilePlace PlaceOf(string name) => Find(name)?.Value.At ?? At;

    public string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    public FileValue? Value(string name) => Find(name)?.Value;

    /// <summary>An error about a member, or about the lack of it.</summary>
    public void Refuse(string name, string sentence) => _errors.Add(PlaceOf(name), PathOf(name), sentence);

    public string? Text(string name)
    {
        switch (Find(name)?.Value)
        {
            case null:
                return null;
            case FileValue.Text text:
                return text.Value;
            case var other:
                Refuse(name, $"{other.Kind} stands where a text belongs; write it between quotation marks.");
                return null;
        }
    }

    public bool? Switch(string name)
    {
        switch (Find(name)?.Value)
        {
            case null:
                return null;
            case FileValue.Switch given:
                return given.Value;
            case var other:
                Refuse(name, $"{other.Kind} stands where true or false belongs; write one of the two, without quotation marks.");
                return null;
        }
    }

    /// <summary>A number of seconds.</summary>
    public TimeSpan? Seconds(string name, TimeSpan least, TimeSpan most)
    {
        if (Find(name)?.Value is not { } value)
        {
            return null;
        }

        if (value is FileValue.Number number
            && double.TryParse(number.Written, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds >= least.TotalSeconds && seconds <= most.TotalSeconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        Refuse(name, string.Create(CultureInfo.InvariantCulture, $"{Shown(value)} is no time in seconds; give a number from {least.TotalSeconds} to {most.TotalSeconds}."));
        return null;
    }

    /// <summary>A whole number.</summary>
    public int? Whole(string name, int least, int most)
    {
        if (Find(name)?.Value is not { } value)
        {
            return null;
        }

        if (value is FileValue.Number number && int.TryParse(number.Written, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole >= least && whole <= most)
        {
            return whole;
        }

        Refuse(name, $"{Shown(value)} is no whole number from {least} to {most}; give one.");
        return null;
    }

    /// <summary>One of a few words.</summary>
    public T? Word<T>(string name, params ReadOnlySpan<(string Word, T Meaning)> words)
        where T : struct
    {
        if (Find(name)?.Value is not { } value)
        {
            return null;
        }

        var all = new List<string>();
        foreach (var (word, meaning) in words)
        {
            if (value is FileValue.Text text && text.Value == word)
            {
                return meaning;
            }

            all.Add(word);
        }

        Refuse(name, $"{Shown(value)} is not known; write one of {string.Join(", ", all)}.");
        return null;
    }

    /// <summary>Null: not there, or no list.</summary>
    public ImmutableArray<FileValue>? List(string name)
    {
        switch (Find(name)?.Value)
        {
            case null:
                return null;
            case FileValue.List list:
                return list.Items;
            case var other:
                Refuse(name, $"{other.Kind} stands where a list belongs; write it between [ and ].");
                return null;
        }
    }

    /// <summary>Texts of a list, each with its place.</summary>
    public ImmutableArray<FileValue.Text>? Texts(string name)
    {
        if (List(name) is not { } items)
        {
            return null;
        }

        for (var index = 0; index < items.Length; index++)
        {
            if (items[index] is not FileValue.Text)
            {
                _errors.Add(items[index].At, $"{PathOf(name)}[{index}]", $"{items[index].Kind} stands where a text belongs; write it between quotation marks.");
            }
        }

        return [.. items.OfType<FileValue.Text>()];
    }

    /// <summary>A section, empty when it is absent.</summary>
    public FileObject Section(string name, ImmutableArray<string> known) => Object(Find(name)?.Value, PathOf(name), known);

    /// <summary>Objects of a list.</summary>
    public IEnumerable<FileObject> Objects(string name, ImmutableArray<string> known) =>
        (List(name) ?? []).Select((item, index) => Object(item, $"{PathOf(name)}[{index}]", known));

    /// <summary>What was written, for sentences.</summary>
    public static string Shown(FileValue value) => value switch
    {
        FileValue.Text text => $"'{text.Value}'",
        FileValue.Number number => $"'{number.Written}'",
        _ => value.Kind,
    };

    private FileObject Object(FileValue? value, string path, ImmutableArray<string> known)
    {
        if (value is not (null or FileValue.Object))
        {
            _errors.Add(value.At, path, $"{value.Kind} stands where an object belongs; write it as {{ \"{known[0]}\": ... }}.");

            // What is missing in it needs no further word.
            return new FileObject(new FileValue.Object(value.At, []), path, known, new FileErrors(""));
        }

        return new FileObject(value as FileValue.Object ?? new FileValue.Object(At, []), path, known, _errors);
    }

    private FileMember? Find(string name) =>
        _known.Contains(name) ? _members.GetValueOrDefault(name) : throw new ArgumentException($"'{name}' is read, but it is no key of '{Path}'.", nameof(name));

    private static string Advice(string name, string path, ImmutableArray<string> known) =>
        Spelling.Nearest(name, known) is { } near ? $"did you mean {near}?"
        : FileKeys.Flags.FirstOrDefault(key => key.Path.EndsWith($".{name}", StringComparison.OrdinalIgnoreCase)) is { } elsewhere && !elsewhere.Path.StartsWith($"{path}.", StringComparison.Ordinal)
            ? $"did you mean {elsewhere.Path}?"
        : path.Length > 0 && FileKeys.Top.Contains(name) ? $"did you mean {name} at the top of the file?"
        : $"those here are {string.Join(", ", known)}.";
}
