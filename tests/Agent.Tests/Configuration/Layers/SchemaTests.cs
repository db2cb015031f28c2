using System.Text.Json;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using NJsonSchema;

namespace FailoverHub.Agent.Tests.Configuration.Layers;

/// <summary>The published schema says what the reader takes: neither more nor less.</summary>
public sealed class SchemaTests
{
    private static readonly string _path = Path.Combine(Root(), "docs", "agent.schema.json");

    [Fact]
    public void Keys_OfReaderAndSchema_AreTheSame()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(_path));
        var root = schema.RootElement;
        var definitions = root.GetProperty("definitions");
        var check = definitions.GetProperty("check");

        Same(FileKeys.Top, root);
        foreach (var section in FileKeys.Sections)
        {
            var described = Property(root, section);
            Same(FileKeys.OfSection(section), described.TryGetProperty("$ref", out var reference) ? definitions.GetProperty(reference.GetString()!.Split('/')[^1]) : described);
        }

        Same(FileKeys.OfLimits, Property(root, FileKeys.Limits));
        Same(FileKeys.OfPrefix, Property(root, FileKeys.Prefixes).GetProperty("items"));
        Same(FileKeys.OfFailback, definitions.GetProperty("failback"));
        Same(FileChecks.Keys, check);
        Same(FileChecks.OfTcp, Property(check, "tcp"));
        Same(FileChecks.OfHttp, Property(check, "http"));
        Same(FileChecks.OfCommand, Property(check, "command"));
        Same(FileChecks.OfProcess, Property(check, "process"));
    }

    [Fact]
    public void EveryFlag_HasAKey()
    {
        var flags = new RunFlags();
        Assert.Equal(
            flags.All.Select(flag => flag.Name).Where(name => name != flags.Config.Name).Order(StringComparer.Ordinal),
            FileKeys.ByFlag.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Words_OfReaderAndSchema_AreTheSame()
    {
        var schema = await SchemaAsync();
        foreach (var key in FileKeys.Flags.Where(key => !key.Words.IsEmpty))
        {
            var parts = key.Path.Split('.');
            Assert.Equal(key.Words, schema.Properties[parts[0]].ActualSchema.Properties[parts[1]].Enumeration.Select(word => (string)word!));
        }
    }

    [Fact]
    public async Task SampleWithEverything_IsValidForBoth()
    {
        Assert.Empty((await SchemaAsync()).Validate(Samples.Everything));
        ConfigurationText.Accept(Samples.Everything);
    }

    [Fact]
    public async Task EveryExampleOfTheReadme_IsValidForBoth()
    {
        var schema = await SchemaAsync();
        var blocks = (await File.ReadAllTextAsync(Path.Combine(Root(), "README.md"), TestContext.Current.CancellationToken)).Split("```json").Skip(1).Select(rest => rest.Split("```")[0]).ToList();

        Assert.NotEmpty(blocks);
        foreach (var block in blocks)
        {
            Assert.Empty(schema.Validate(block));
            ConfigurationText.Accept(block);
        }
    }

    [Theory]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "colour": 1 }""")]
    [InlineData("""{ "dataCenter": 18, "role": "boss" }""")]
    [InlineData("""{ "dataCenter": 1, "role": "primary" }""")]
    [InlineData("""{ "dataCenter": "18", "role": "primary" }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "session": { "holdTime": 2 } }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "session": { "ttlSecurity": 255 } }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "session": { "gracefulShutdown": 601 } }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "prefixes": [{ "role": "primary" }] }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "checks": [{ "name": "a" }] }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "checks": [{ "name": "a", "tcp": { "port": 80 }, "process": { "name": "b" } }] }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "checks": [{ "name": "a", "tcp": { "port": 80 }, "interval": 0.01 }] }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "failback": { "stableFor": 0 } }""")]
    [InlineData("""{ "dataCenter": 18, "role": "primary", "limits": { "drain": "no" } }""")]
    public async Task WhatIsWrong_IsRefusedByBoth(string file)
    {
        Assert.NotEmpty((await SchemaAsync()).Validate(file));
        Assert.NotEmpty(ConfigurationText.Refuse(file));
    }

    private static Task<JsonSchema> SchemaAsync() => JsonSchema.FromFileAsync(_path, TestContext.Current.CancellationToken);

    private static JsonElement Property(JsonElement schema, string name) => schema.GetProperty("properties").GetProperty(name);

    private static void Same(IEnumerable<string> keys, JsonElement schema)
    {
        Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
        Assert.Equal(keys.Order(StringComparer.Ordinal), schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "FailoverHub.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("These tests run inside of the repository.");
        }

        return directory.FullName;
    }
}
