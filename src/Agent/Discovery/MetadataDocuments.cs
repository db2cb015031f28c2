using System.Text.Json.Serialization;

namespace FailoverHub.Agent.Discovery;

/// <summary>What is used of <c>/v1/instance</c>.</summary>
internal sealed record InstanceDocument
{
    public long? Id { get; init; }

    public string? Label { get; init; }

    public string? Region { get; init; }

    public string? HostUuid { get; init; }
}

/// <summary>What is used of <c>/v1/network</c>.</summary>
internal sealed record NetworkDocument
{
    public Ipv4Document? Ipv4 { get; init; }

    public Ipv6Document? Ipv6 { get; init; }
}

internal sealed record Ipv4Document
{
    public IReadOnlyList<string?>? Shared { get; init; }

    /// <summary>As older descriptions of the service call it.</summary>
    public IReadOnlyList<string?>? Elastic { get; init; }
}

internal sealed record Ipv6Document
{
    public string? Slaac { get; init; }

    public IReadOnlyList<string?>? SharedRanges { get; init; }

    /// <summary>As older descriptions of the service call it.</summary>
    [JsonPropertyName("elastic-ranges")]
    public IReadOnlyList<string?>? ElasticRanges { get; init; }

    /// <summary>Likewise.</summary>
    [JsonPropertyName("elastic_ranges")]
    public IReadOnlyList<string?>? ElasticRangesOtherwise { get; init; }
}

/// <summary>The last good answer as it stands in <c>instance.json</c>.</summary>
internal sealed record StoredInstance(long? Id, string? Label, string? Region, string? HostUuid, string? Slaac, IReadOnlyList<string?>? Shared, DateTimeOffset ReadAt);

// Source-generated: reflection would not survive publishing as native code.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(InstanceDocument))]
[JsonSerializable(typeof(NetworkDocument))]
[JsonSerializable(typeof(StoredInstance))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class MetadataJson : JsonSerializerContext;
