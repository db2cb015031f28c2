using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using FailoverHub.Agent.Node.Holding;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Platform;

/// <summary>The prefixes that could once be primary on this node, on disk. Nothing of it is needed to announce something.</summary>
/// <param name="path">Of the file.</param>
internal sealed class FailbackStore(string path)
{
    /// <summary>What is known, and what is wrong with the file when it cannot be read: then it is as if everything had been here.</summary>
    public (FailbackMemory Memory, string? Problem) Load()
    {
        try
        {
            // Most nodes have none: asking costs less than an exception.
            if (!File.Exists(path))
            {
                return (FailbackMemory.None, null);
            }

            return Parse(File.ReadAllBytes(path)) is { } memory ? (memory, null) : Lost("it is damaged");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return Lost(exception.Message);
        }
    }

    /// <summary>Null: it is on the disk. Else why not.</summary>
    public string? TrySave(FailbackMemory memory)
    {
        var stored = new StoredFailback([.. memory.Prefixes.Order(Comparer<IPNetwork>.Create(SharedPrefix.Compare)).Select(prefix => prefix.ToString())]);
        try
        {
            return AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(stored, StoredJson.Default.StoredFailback));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private (FailbackMemory, string?) Lost(string problem) =>
        (FailbackMemory.None with { IsLost = true, IsKept = true }, $"{path} cannot be read ({problem.TrimEnd('.')}): which prefixes were primary here before is lost, so under the failback policies after-stable and manual each of them is held back as secondary now");

    private static FailbackMemory? Parse(byte[] content)
    {
        if (JsonSerializer.Deserialize(content, StoredJson.Default.StoredFailback) is not { Prefixes: not null } stored)
        {
            return null;
        }

        var prefixes = ImmutableHashSet.CreateBuilder<IPNetwork>();
        foreach (var text in stored.Prefixes)
        {
            if (!SharedPrefix.TryParse(text ?? "", out var prefix, out _))
            {
                return null;
            }

            prefixes.Add(prefix);
        }

        return new FailbackMemory(prefixes.ToImmutable()) { IsKept = true };
    }
}
