using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace FailoverHub.Architecture.Tests;

/// <summary>What built assemblies use, read from their metadata without loading them.</summary>
internal static class CompiledReferences
{
    /// <summary>The built assembly of a product project, in the configuration in which these tests were built.</summary>
    public static string PathOf(string project, string assembly)
    {
        // …/tests/Architecture.Tests/bin/Release/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(SourceTree.Root(), "src", project, "bin", output.Parent!.Name, output.Name, assembly + ".dll");
    }

    /// <summary>Names of the assemblies that this one uses.</summary>
    public static IReadOnlyList<string> Of(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(r => metadata.GetString(metadata.GetAssemblyReference(r).Name))];
    }
}
