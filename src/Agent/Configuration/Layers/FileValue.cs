using System.Collections.Immutable;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>A place in the configuration file.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in octets as compilers count them.</param>
internal readonly record struct FilePlace(int Line, int Column);

/// <summary>A value of the configuration file that knows where it stands. A closed family.</summary>
internal abstract record FileValue(FilePlace At)
{
    /// <summary>For sentences: <c>a text</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>Without its escapes.</summary>
    internal sealed record Text(FilePlace At, string Value) : FileValue(At)
    {
        public override string Kind => "a text";
    }

    /// <summary>As it was written: what it is for decides how it is read.</summary>
    internal sealed record Number(FilePlace At, string Written) : FileValue(At)
    {
        public override string Kind => "a number";
    }

    internal sealed record Switch(FilePlace At, bool Value) : FileValue(At)
    {
        public override string Kind => Value ? "true" : "false";
    }

    internal sealed record Null(FilePlace At) : FileValue(At)
    {
        public override string Kind => "null";
    }

    internal sealed record List(FilePlace At, ImmutableArray<FileValue> Items) : FileValue(At)
    {
        public override string Kind => "a list";
    }

    /// <summary>Members as they were written: a name may be there twice.</summary>
    internal sealed record Object(FilePlace At, ImmutableArray<FileMember> Members) : FileValue(At)
    {
        public override string Kind => "an object";
    }
}

/// <summary>A member of an object.</summary>
internal sealed record FileMember(string Name, FilePlace At, FileValue Value);
