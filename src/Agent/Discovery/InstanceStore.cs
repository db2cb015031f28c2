using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Discovery;

/// <summary>The last good answer on disk, so that a start waits for nobody.</summary>
internal static class InstanceStore
{
    /// <summary>Null: there is none that can be read. Then it is asked, as it would be in any case.</summary>
    public static InstanceFacts? Load(string path)
    {
        try
        {
            // Looked for first: on the way to the first dial an exception is dear.
            return File.Exists(path) ? InstanceReader.ReadStored(File.ReadAllBytes(path)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <returns>Null, or why it could not be kept.</returns>
    public static string? Save(string path, InstanceFacts facts)
    {
        try
        {
            // Not through a power cut: what is lost is asked again.
            return AtomicFile.Write(path, InstanceReader.Store(facts), durable: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
