using System.Collections.Immutable;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>Everything that is wrong with the file itself, each with its place and its key.</summary>
/// <param name="file">Its name, as it was given.</param>
internal sealed class FileErrors(string file)
{
    private readonly List<string> _sentences = [];

    public ImmutableArray<string> Sentences => [.. _sentences];

    /// <summary>For sentences: as compilers name a place, so that editors find it.</summary>
    public string Place(FilePlace at) => $"{file}:{at.Line}:{at.Column}";

    /// <param name="at">Where.</param>
    /// <param name="path">The key; empty: the file as a whole.</param>
    /// <param name="sentence">What is wrong and what to do.</param>
    public void Add(FilePlace at, string path, string sentence) =>
        _sentences.Add(path.Length == 0 ? $"{Place(at)}: the file {sentence}" : $"{Place(at)}: {path}: {sentence}");
}
