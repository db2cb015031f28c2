using System.Text.Json;
using FailoverHub.Agent.Addresses;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Platform;

/// <summary>The router id on disk: once chosen it stays, because changing it resets every session.</summary>
internal static class RouterIdStore
{
    /// <summary>The kept id, null when there is none, when it cannot be read, or when it was kept by another node: disks are copied.</summary>
    public static RouterId? Load(string path, NodeIdentity identity)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), StoredJson.Default.StoredRouterId) is { } stored
                && stored.Owner == identity.Fingerprint
                && RouterId.TryParse(stored.RouterId, out var routerId)
                ? routerId
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            // The caller chooses anew by the same rules, which nearly always gives the same one.
            return null;
        }
    }

    /// <exception cref="IOException">It could not be kept.</exception>
    public static void Save(string path, RouterId routerId, NodeIdentity identity) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(new StoredRouterId(routerId.ToString(), identity.Fingerprint), StoredJson.Default.StoredRouterId));
}
